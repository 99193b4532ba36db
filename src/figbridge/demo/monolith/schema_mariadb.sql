-- The shop's database on MariaDB, as it grew: the same tables, with what this server calls its own.
-- Foreign keys only refuse: what one would change by itself, the binlog does not show.

CREATE DATABASE shop CHARACTER SET utf8mb4;

CREATE TABLE shop.customers (
    cust_id  int unsigned PRIMARY KEY,
    name     varchar(120) NOT NULL,
    email    varchar(120) NOT NULL,
    seg      char(3) NOT NULL,                  -- PRV, B2B, EMP
    news     tinyint(1) NOT NULL DEFAULT 0,     -- what is J and N elsewhere
    birth_dt date,                              -- 0000-00-00 for who never told it
    pwd_hash varchar(64),
    crt_dt   datetime(6),                       -- wall clock of Berlin, like every datetime here
    upd_dt   datetime(6),
    row_ver  int NOT NULL DEFAULT 1
);

CREATE TABLE shop.carriers (
    carrier_id int unsigned PRIMARY KEY,
    code       varchar(10) NOT NULL,
    name       varchar(60)
);

CREATE TABLE shop.stock (
    item_cd  char(8) PRIMARY KEY,               -- padded on disk, never in an answer
    on_hand  int NOT NULL,
    reserved int NOT NULL,
    upd_dt   datetime(6)
);

CREATE TABLE shop.addresses (
    addr_id int unsigned PRIMARY KEY,
    first   varchar(60),
    last    varchar(60),
    txt     text,                               -- street, then postcode and city; or whatever was typed
    upd_dt  datetime(6)
);

CREATE TABLE shop.orders (
    order_id     int unsigned PRIMARY KEY,
    number       int unsigned NOT NULL UNIQUE,  -- on the invoice; what the world calls the order
    cust_id      int unsigned,                  -- no foreign key: guests, and customers who have left
    stat         char(1) NOT NULL,              -- P, C, S, X
    del_stat     char(1) NOT NULL DEFAULT 'O',  -- O, D: what shipments say, written at night
    tot_amt      decimal(12,2) NOT NULL,
    crt_dt       datetime(6) NOT NULL,
    upd_dt       datetime(6),
    row_ver      int NOT NULL DEFAULT 1,
    ship_addr_id int unsigned,
    carrier_id   int unsigned,
    guest_mail   varchar(120) NOT NULL DEFAULT '',
    notes        mediumtext,
    flag2        char(1) DEFAULT 'N',
    KEY (cust_id),
    FOREIGN KEY (ship_addr_id) REFERENCES shop.addresses (addr_id)
);

CREATE TABLE shop.order_lines (
    order_id  int unsigned NOT NULL,            -- no foreign key: the shop itself moves lines with their order
    line_no   int NOT NULL,
    item_cd   char(8) NOT NULL,                 -- no foreign key: articles are dropped
    qty       int NOT NULL,
    prc       decimal(12,2) NOT NULL,
    line_stat char(1) NOT NULL DEFAULT 'O',     -- O, C, S, X: the order's stat once more
    PRIMARY KEY (order_id, line_no)
);

CREATE TABLE shop.order_history (
    hist_id  bigint unsigned PRIMARY KEY,
    order_id int unsigned NOT NULL,             -- no foreign key
    stat     char(1) NOT NULL,                  -- and once more
    usr      varchar(20),
    hist_dt  datetime(6),
    KEY (order_id)
);

CREATE TABLE shop.payments (
    pay_id   int unsigned PRIMARY KEY,
    order_id int unsigned NOT NULL,             -- no foreign key
    meth     char(1) NOT NULL,                  -- C, I, T
    amt      decimal(12,2) NOT NULL,
    paid_sum decimal(12,2) NOT NULL DEFAULT 0,  -- the moves once more
    crt_dt   datetime(6),
    upd_dt   datetime(6),
    KEY (order_id)
);

CREATE TABLE shop.payment_moves (
    move_id bigint unsigned PRIMARY KEY AUTO_INCREMENT,
    pay_id  int unsigned NOT NULL,
    typ     char(1) NOT NULL,                   -- A, D, R
    amt     decimal(12,2) NOT NULL,
    ref_txt varchar(60),
    move_dt datetime(6),
    FOREIGN KEY (pay_id) REFERENCES shop.payments (pay_id)
);

CREATE TABLE shop.shipments (
    ship_id    int unsigned PRIMARY KEY,
    order_id   int unsigned NOT NULL,           -- no foreign key: outlives a purged order
    carrier_id int unsigned,
    stat       char(1) NOT NULL,                -- N, S, D, L
    parcel_no  varchar(20),
    sent_dt    datetime(6),
    upd_dt     datetime(6),
    KEY (order_id)
);

-- What really happened, for the tests of whoever listens. Written in the same transaction, never captured.
CREATE TABLE shop.ledger (
    seq     bigint PRIMARY KEY,
    tx      bigint NOT NULL,
    op      varchar(40) NOT NULL,
    type    varchar(60) NOT NULL,
    subject varchar(60) NOT NULL,
    data    json NOT NULL
);
