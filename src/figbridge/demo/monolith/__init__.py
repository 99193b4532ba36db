"""A retailer's monolith: it really commits to PostgreSQL or MariaDB, with every ugly trait that a mapping must bear.

Each operation is a method of Monolith whose docstring names the trait it shows. The ledger says what happened, in the
domain's words, so that a test can compare it with what a bridge makes of the log. The driver (psycopg of the extra
`embedded`, pymysql of `mariadb`) is imported when the first connection is opened. No mapping or bridge is known here.
"""

from figbridge.demo.monolith.desk import NothingToDo as NothingToDo
from figbridge.demo.monolith.desk import Ticks as Ticks
from figbridge.demo.monolith.ledger import Happening as Happening
from figbridge.demo.monolith.ledger import by_subject as by_subject
from figbridge.demo.monolith.shop import Monolith as Monolith
