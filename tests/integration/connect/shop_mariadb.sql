-- The shop's tables on MariaDB, as mappings/ knows them.
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE TABLE shop.customers (
    cust_id int PRIMARY KEY, name varchar(120) NOT NULL, email varchar(120) NOT NULL, seg char(3) NOT NULL,
    news char(1) NOT NULL DEFAULT 'N', birth_dt date, pwd_hash varchar(64), crt_dt datetime(6), upd_dt datetime(6),
    row_ver int NOT NULL DEFAULT 1);
CREATE TABLE shop.carriers (carrier_id int PRIMARY KEY, code varchar(10) NOT NULL, name varchar(60));
CREATE TABLE shop.stock (item_cd char(8) PRIMARY KEY, on_hand int NOT NULL, reserved int NOT NULL, upd_dt datetime(6));
CREATE TABLE shop.addresses (
    addr_id int PRIMARY KEY, first varchar(60), last varchar(60), txt text, upd_dt datetime(6));
CREATE TABLE shop.orders (
    order_id int PRIMARY KEY, number int NOT NULL UNIQUE, cust_id int, stat char(1) NOT NULL,
    del_stat char(1) NOT NULL DEFAULT 'O', tot_amt decimal(12,2) NOT NULL, crt_dt datetime(6) NOT NULL,
    upd_dt datetime(6), row_ver int NOT NULL DEFAULT 1, ship_addr_id int, carrier_id int,
    guest_mail varchar(120) NOT NULL DEFAULT '', notes text, flag2 char(1) DEFAULT 'N');
CREATE TABLE shop.order_lines (
    order_id int NOT NULL, line_no int NOT NULL, item_cd char(8) NOT NULL, qty int NOT NULL, prc decimal(12,2) NOT NULL,
    line_stat char(1) NOT NULL DEFAULT 'O', PRIMARY KEY (order_id, line_no));
CREATE TABLE shop.payments (
    pay_id int PRIMARY KEY, order_id int NOT NULL, meth char(1) NOT NULL, amt decimal(12,2) NOT NULL,
    paid_sum decimal(12,2) NOT NULL DEFAULT 0, crt_dt datetime(6), upd_dt datetime(6));
CREATE TABLE shop.payment_moves (
    move_id int PRIMARY KEY, pay_id int NOT NULL, typ char(1) NOT NULL, amt decimal(12,2) NOT NULL,
    ref_txt varchar(60), move_dt datetime(6));
CREATE TABLE shop.shipments (
    ship_id int PRIMARY KEY, order_id int NOT NULL, carrier_id int, stat char(1) NOT NULL, parcel_no varchar(20),
    sent_dt datetime(6), upd_dt datetime(6));
INSERT INTO shop.carriers VALUES (1, 'DHL', 'x'), (2, 'UPS', 'y');
INSERT INTO shop.stock SELECT CONCAT('A', seq), 100, 0, NOW(6) FROM shop.seq_1_to_3000;
