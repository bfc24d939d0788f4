"""The example's `follow()` across an end of the node: it goes on, with a snapshot of what is there then.

Says "whole" at the end of each snapshot, and ends when it is told of a room "after".
"""

from __future__ import annotations

from signalling import Signalling

from daemon import Daemon


def main() -> None:
    """Follow until the room is there."""
    daemon = Daemon.from_arguments()
    service = Signalling(daemon.control, daemon.ca, daemon.api_key)
    for message in service.follow():
        what = message.WhichOneof("event")
        if what == "snapshot_end":
            print("whole", flush=True)
        rooms = {message.snapshot_room.room_id, message.room_event.room_id}
        if "after" in rooms:
            break
    service.channel.close()


if __name__ == "__main__":
    main()
