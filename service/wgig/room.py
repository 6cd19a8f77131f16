"""How many bytes the bodies of all requests under way may hold together."""

from .problems import Problem

SMALL = 64 * 1024  # bytes that each request may hold anyway, so that large ones do not keep out a query


class Room:
    """Room for so many bytes, of which requests take and give back."""

    def __init__(self, total: int) -> None:
        """Nothing is taken yet."""
        self.free = total

    def holding(self) -> "Holding":
        """What one request will hold."""
        return Holding(self)


class Holding:
    """The bytes of one request."""

    def __init__(self, room: Room) -> None:
        """Hold nothing yet."""
        self.room = room
        self.size = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more. Raises Problem 503 where there is no room for them."""
        more = max(0, self.size + size - SMALL) - max(0, self.size - SMALL)
        if more > self.room.free:
            raise Problem(
                503,
                "Too much is being uploaded at this moment. Nothing of this was done; try again soon.",
                headers={"Retry-After": "10"},
            )
        self.room.free -= more
        self.size += size

    def give_back(self) -> None:
        """Hold nothing any more."""
        self.room.free += max(0, self.size - SMALL)
        self.size = 0
