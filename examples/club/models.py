"""What the club keeps: one declaration, from which everything else follows."""

from segue import db
from segue.auth import AbstractUser


class Musician(db.Model):
    """Somebody who plays."""

    name = db.CharField(max_length=100)
    slug = db.SlugField(unique=True)
    instrument = db.CharField(max_length=60, db_index=True)
    born = db.DateField()
    about = db.TextField(blank=True)
    records: db.Reverse["Record"]
    concerts: db.Reverse["Concert"]

    def __str__(self) -> str:
        return self.name


class Record(db.Model):
    """An album in the club's library."""

    title = db.CharField(max_length=200)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
    year = db.IntegerField(min_value=1900)
    label = db.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["-year", "title"]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})"


class Concert(db.Model):
    """An evening at the club."""

    title = db.CharField(max_length=200)
    starts = db.DateTimeField(db_index=True)
    musicians = db.ManyToManyField(Musician, related_name="concerts")
    seats = db.PositiveIntegerField()
    price = db.DecimalField(max_digits=6, decimal_places=2)
    reservations: db.Reverse["Reservation"]

    class Meta:
        ordering = ["starts"]

    def __str__(self) -> str:
        return self.title


class Friend(db.Model):
    """Somebody whom the club thanks on its wall."""

    name = db.CharField(max_length=100)
    since = db.IntegerField()

    class Meta:
        ordering = ["since", "name"]

    def __str__(self) -> str:
        return self.name


class Member(AbstractUser):
    """Somebody with an account, who can reserve seats."""

    instrument = db.CharField(max_length=60, blank=True, help_text="What you play, if you do.")
    reservations: db.Reverse["Reservation"]


class Reservation(db.Model):
    """Seats at a concert, for one member."""

    concert = db.ForeignKey(Concert, on_delete=db.CASCADE, related_name="reservations")
    member = db.ForeignKey(Member, on_delete=db.CASCADE, related_name="reservations")
    seats = db.PositiveIntegerField()

    class Meta:
        constraints = [
            db.UniqueConstraint("concert", "member", name="one_reservation", violation_error_message="You have seats.")
        ]

    def __str__(self) -> str:
        return f"{self.seats} for {self.concert}"
