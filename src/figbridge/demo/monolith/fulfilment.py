"""An order's way out of the house: confirmed, packed, shipped, delivered, or cancelled."""

from __future__ import annotations

from figbridge.demo.monolith.book import STATUS, Order, Shipment, money
from figbridge.demo.monolith.checkout import insert_history
from figbridge.demo.monolith.desk import Desk, NothingToDo, Transaction, instant
from figbridge.demo.monolith.invent import CARRIERS


class Fulfilment(Desk):
    """What happens to an order after it was placed."""

    def confirm(self, number: int | None = None) -> int:
        """Confirm an order; trait: the status is written to the order, to each line and to the history."""
        order = self.pick(lambda o: o.status == "P", number)
        key = self.book.next("order_history")
        with self.transaction("confirm") as tx:
            self._status(tx, order, "C", key)
            tx.happened("OrderConfirmed", order.subject, total=money(order.total))
        order.status, order.history = "C", order.history + 1
        return order.number

    def cancel(self, number: int | None = None) -> int:
        """Cancel an open order; trait: counters go back by deltas that name no order."""
        order = self.pick(lambda o: o.is_open, number)
        key = self.book.next("order_history")
        with self.transaction("cancel") as tx:
            self._status(tx, order, "X", key)
            tx.happened("OrderCancelled", order.subject, **{"from": STATUS[order.status]})
            for line in order.lines.values():
                tx.move_stock(line.item, reserved=-line.qty)
        order.status, order.history = "X", order.history + 1
        return order.number

    def assign_carrier(self, number: int | None = None) -> int:
        """Choose a carrier; trait: the meaning of the number stands in a lookup table that nobody changes."""
        order = self.pick(lambda o: o.is_open, number)
        carrier = self.rng.choice([c for c in CARRIERS if c != order.carrier])
        with self.transaction("assign_carrier") as tx:
            tx.run(
                "UPDATE shop.orders SET carrier_id = %s, upd_dt = %s, row_ver = row_ver + 1 WHERE order_id = %s",
                carrier, tx.wall, order.key,
            )  # fmt: skip
            tx.happened("CarrierAssigned", order.subject, carrier=CARRIERS[carrier][0])
        order.carrier = carrier
        return order.number

    def pack(self, number: int | None = None) -> int:
        """Pack a parcel; trait: the shipment names its order by the key, the world knows it by the number."""
        order = self.pick(lambda o: o.status == "C" and not self.book.shipments_of(o), number)
        shipment = Shipment(self.book.next("shipments"), order.number, order.carrier or 1, "N")
        with self.transaction("pack") as tx:
            tx.run(
                "INSERT INTO shop.shipments (ship_id, order_id, carrier_id, stat, upd_dt) VALUES (%s, %s, %s, 'N', %s)",
                shipment.key, order.key, shipment.carrier, tx.wall,
            )  # fmt: skip
            tx.happened(
                "ShipmentPacked", f"shipment-{shipment.key}", order=order.subject, carrier=shipment.told_carrier
            )
        self.book.shipments[shipment.key] = shipment
        return order.number

    def ship(self, number: int | None = None) -> int:
        """Ship a confirmed order; trait: order, lines, history, counters and shipment change in one transaction.

        An order that nobody packed gets its shipment here, sent as it appears.
        """
        order = self.pick(lambda o: o.status == "C", number)
        packed = next((s for s in self.book.shipments_of(order) if s.status == "N"), None)
        shipment = packed or Shipment(self.book.next("shipments"), order.number, order.carrier or 1, "S")
        parcel = f"JD{shipment.key:06}"
        key = self.book.next("order_history")
        with self.transaction("ship") as tx:
            self._status(tx, order, "S", key)
            address = self.book.addresses[order.address].told()
            tx.happened("OrderShipped", order.subject, carrier=order.carrier_code, shipTo=address)
            if packed:
                tx.run(
                    "UPDATE shop.shipments SET stat = 'S', parcel_no = %s, sent_dt = %s, upd_dt = %s"
                    " WHERE ship_id = %s",
                    parcel, tx.wall, tx.wall, shipment.key,
                )  # fmt: skip
            else:
                tx.run(
                    "INSERT INTO shop.shipments VALUES (%s, %s, %s, 'S', %s, %s, %s)",
                    shipment.key, order.key, shipment.carrier, parcel, tx.wall, tx.wall,
                )  # fmt: skip
            tx.happened(
                "ShipmentSent",
                f"shipment-{shipment.key}",
                order=order.subject,
                carrier=shipment.told_carrier,
                parcel=parcel,
                sentAt=instant(tx.wall),
            )
            for line in order.lines.values():
                tx.move_stock(line.item, on_hand=-line.qty, reserved=-line.qty)
        shipment.status, shipment.parcel = "S", parcel
        self.book.shipments[shipment.key] = shipment
        order.status, order.history = "S", order.history + 1
        return order.number

    def deliver(self) -> int:
        """Book what the carrier says of a parcel on its way; one in ten is lost, and lost ones may be found."""
        on_the_way = [s for s in self.book.shipments.values() if s.status in "SL"]
        if not on_the_way:
            raise NothingToDo
        shipment = self.rng.choice(on_the_way)
        lost = shipment.status == "S" and self.rng.randrange(10) == 0
        status = "L" if lost else "D"
        kind = "ShipmentLost" if lost else "ShipmentDelivered" if shipment.status == "S" else "ShipmentFound"
        with self.transaction("deliver") as tx:
            tx.run("UPDATE shop.shipments SET stat = %s, upd_dt = %s WHERE ship_id = %s", status, tx.wall, shipment.key)
            tx.happened(kind, f"shipment-{shipment.key}", order=f"order-{shipment.number}")
        shipment.status = status
        return shipment.number

    def reroute(self) -> int:
        """Give a packed parcel to another carrier; trait: its order still names the old one."""
        packed = [s for s in self.book.shipments.values() if s.status == "N"]
        if not packed:
            raise NothingToDo
        shipment = self.rng.choice(packed)
        carrier = self.rng.choice([c for c in CARRIERS if c != shipment.carrier])
        with self.transaction("reroute") as tx:
            tx.run(
                "UPDATE shop.shipments SET carrier_id = %s, upd_dt = %s WHERE ship_id = %s",
                carrier,
                tx.wall,
                shipment.key,
            )
            tx.happened(
                "ShipmentRerouted",
                f"shipment-{shipment.key}",
                order=f"order-{shipment.number}",
                carrier=CARRIERS[carrier][0],
            )
        shipment.carrier = carrier
        return shipment.number

    def _status(self, tx: Transaction, order: Order, status: str, history: int) -> None:
        tx.run(
            "UPDATE shop.orders SET stat = %s, upd_dt = %s, row_ver = row_ver + 1 WHERE order_id = %s",
            status, tx.wall, order.key,
        )  # fmt: skip
        tx.run(
            "UPDATE shop.order_lines SET line_stat = %s WHERE order_id = %s", status, order.key, rows=len(order.lines)
        )
        insert_history(tx, history, order.key, status)
