-- The shop's database, as it grew. Foreign keys stand where somebody once thought of them.

CREATE SCHEMA shop;

CREATE TABLE shop.customers (
    cust_id   integer PRIMARY KEY,
    name      varchar(120) NOT NULL,
    email     varchar(120) NOT NULL,
    seg       char(3) NOT NULL,                 -- PRV, B2B, EMP
    news      char(1) NOT NULL DEFAULT 'N',     -- J, N
    birth_dt  date,
    pwd_hash  varchar(64),
    crt_dt    timestamp,                        -- wall clock of Berlin, like every timestamp here
    upd_dt    timestamp,
    row_ver   integer NOT NULL DEFAULT 1
);

CREATE TABLE shop.carriers (
    carrier_id integer PRIMARY KEY,
    code       varchar(10) NOT NULL,
    name       varchar(60)
);

CREATE TABLE shop.stock (
    item_cd  char(8) PRIMARY KEY,               -- padded with blanks
    on_hand  integer NOT NULL,
    reserved integer NOT NULL,
    upd_dt   timestamp
);

CREATE TABLE shop.addresses (
    addr_id integer PRIMARY KEY,
    first   varchar(60),
    last    varchar(60),
    txt     text,                               -- street, then postcode and city; or whatever was typed
    upd_dt  timestamp
);

CREATE TABLE shop.orders (
    order_id     integer PRIMARY KEY,
    number       integer NOT NULL UNIQUE,       -- on the invoice; what the world calls the order
    cust_id      integer,                       -- no foreign key: guests, and customers who have left
    stat         char(1) NOT NULL,              -- P, C, S, X
    del_stat     char(1) NOT NULL DEFAULT 'O',  -- O, D: what shipments say, written at night
    tot_amt      numeric(12,2) NOT NULL,
    crt_dt       timestamp NOT NULL,
    upd_dt       timestamp,
    row_ver      integer NOT NULL DEFAULT 1,
    ship_addr_id integer REFERENCES shop.addresses,
    carrier_id   integer,
    guest_mail   varchar(120) NOT NULL DEFAULT '',
    notes        text,
    flag2        char(1) DEFAULT 'N'
);
CREATE INDEX ON shop.orders (ship_addr_id);
CREATE INDEX ON shop.orders (cust_id);

CREATE TABLE shop.order_lines (
    order_id  integer NOT NULL REFERENCES shop.orders ON UPDATE CASCADE,
    line_no   integer NOT NULL,
    item_cd   char(8) NOT NULL,                 -- no foreign key: articles are dropped
    qty       integer NOT NULL,
    prc       numeric(12,2) NOT NULL,
    line_stat char(1) NOT NULL DEFAULT 'O',     -- O, C, S, X: the order's stat once more
    PRIMARY KEY (order_id, line_no)
);

CREATE TABLE shop.order_history (
    hist_id  bigint PRIMARY KEY,
    order_id integer NOT NULL,                  -- no foreign key
    stat     char(1) NOT NULL,                  -- and once more
    usr      varchar(20),
    hist_dt  timestamp
);
CREATE INDEX ON shop.order_history (order_id);

CREATE TABLE shop.payments (
    pay_id   integer PRIMARY KEY,
    order_id integer NOT NULL,                  -- no foreign key
    meth     char(1) NOT NULL,                  -- C, I, T
    amt      numeric(12,2) NOT NULL,
    paid_sum numeric(12,2) NOT NULL DEFAULT 0,  -- the moves once more
    crt_dt   timestamp,
    upd_dt   timestamp
);
CREATE INDEX ON shop.payments (order_id);

CREATE TABLE shop.payment_moves (
    move_id integer PRIMARY KEY,
    pay_id  integer NOT NULL REFERENCES shop.payments,
    typ     char(1) NOT NULL,                   -- A, D, R
    amt     numeric(12,2) NOT NULL,
    ref_txt varchar(60),
    move_dt timestamp
);
CREATE INDEX ON shop.payment_moves (pay_id);

CREATE TABLE shop.shipments (
    ship_id    integer PRIMARY KEY,
    order_id   integer NOT NULL,                -- no foreign key: outlives a purged order
    carrier_id integer,
    stat       char(1) NOT NULL,                -- N, S, D, L
    parcel_no  varchar(20),
    sent_dt    timestamp,
    upd_dt     timestamp
);
CREATE INDEX ON shop.shipments (order_id);

-- The whole old row goes into the log where the administrator allowed it: two small tables.
ALTER TABLE shop.customers REPLICA IDENTITY FULL;
ALTER TABLE shop.stock REPLICA IDENTITY FULL;

-- What really happened, for the tests of whoever listens. Written in the same transaction, never captured.
CREATE TABLE shop.ledger (
    seq     bigint PRIMARY KEY,
    tx      bigint NOT NULL,
    op      text NOT NULL,
    type    text NOT NULL,
    subject text NOT NULL,
    data    jsonb NOT NULL
);
