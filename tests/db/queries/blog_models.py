"""The blog, the weather station and the bookshop of Django's guides, as models."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from segue import db


class Blog(db.Model):
    name = db.CharField(max_length=100)
    tagline = db.TextField(default="")

    def __str__(self) -> str:
        return self.name


class Author(db.Model):
    name = db.CharField(max_length=200)
    email = db.EmailField(default="")
    age = db.IntegerField(null=True)

    def __str__(self) -> str:
        return self.name


class Entry(db.Model):
    blog = db.ForeignKey(Blog, on_delete=db.CASCADE)
    headline = db.CharField(max_length=255)
    body_text = db.TextField(default="")
    pub_date = db.DateField()
    mod_date = db.DateField(null=True)
    authors = db.ManyToManyField(Author)
    number_of_comments = db.IntegerField(default=0)
    number_of_pingbacks = db.IntegerField(default=0)
    rating = db.IntegerField(default=5)
    edited = db.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.headline


class Detail(db.Model):
    entry = db.OneToOneField(Entry, on_delete=db.CASCADE)
    text = db.CharField(max_length=50)


class Publisher(db.Model):
    name = db.CharField(max_length=300)
    awards = db.IntegerField(default=0)

    class Meta:
        ordering = ["name"]


class Writer(db.Model):
    name = db.CharField(max_length=100)
    age = db.IntegerField()


class Book(db.Model):
    name = db.CharField(max_length=300)
    pages = db.IntegerField()
    price = db.DecimalField(max_digits=10, decimal_places=2)
    rating = db.FloatField()
    writers = db.ManyToManyField(Writer, related_name="books")
    publisher = db.ForeignKey(Publisher, on_delete=db.CASCADE, related_name="books")
    pubdate = db.DateField()


class Store(db.Model):
    name = db.CharField(max_length=300)
    books = db.ManyToManyField(Book, related_name="stores")


class Station(db.Model):
    place = db.CharField(max_length=50)


class Weather(db.Model):
    station = db.ForeignKey(Station, on_delete=db.CASCADE, related_name="reports")
    at = db.DateTimeField()
    degrees = db.FloatField(null=True)


BLOG = [Blog, Author, Entry, Detail]
BOOKS = [Publisher, Writer, Book, Store]
WEATHER = [Station, Weather]


def fill_blog() -> None:
    """Beatles and pop blogs, entries of 2006 to 2010."""
    beatles = Blog.objects.create(name="Beatles Blog", tagline="All the latest Beatles news.")
    pop = Blog.objects.create(name="Pop Music Blog", tagline="100% pop_music")
    cheddar = Blog.objects.create(name="Cheddar Talk", tagline="Thoughts on cheese.")
    Blog.objects.create(name="Empty", tagline="")
    john = Author.objects.create(name="John", email="john@example.com", age=40)
    paul = Author.objects.create(name="Paul", email="paul@example.com", age=83)
    george = Author.objects.create(name="George", age=None)
    Author.objects.create(name="Ringo", email="ringo@example.com", age=85)
    rows = [
        (beatles, "New Lennon Biography", date(2008, 6, 1), 12, 4, 5, [john, paul], datetime(2008, 6, 1, 10, 30, 15, tzinfo=UTC)),
        (beatles, "New Lennon Biography in Paperback", date(2009, 6, 1), 3, 6, 4, [john], datetime(2009, 7, 2, 23, 59, 59, 999999, tzinfo=UTC)),
        (pop, "Best Albums of 2008", date(2008, 12, 15), 7, 7, 3, [george], None),
        (pop, "Lennon Would Have Loved Hip Hop", date(2020, 4, 1), 0, 1, 1, [], datetime(2020, 12, 31, 0, 0, tzinfo=UTC)),
        (cheddar, "What's new in cheese", date(2006, 1, 1), 20, 0, 5, [paul, george], datetime(2006, 1, 1, 0, 0, tzinfo=UTC)),
        (cheddar, "100% cheddar_cheese \\ best", date(2010, 2, 28), 1, 2, 2, [john, paul, george], None),
    ]  # fmt: skip
    for blog, headline, pub, comments, pingbacks, rating, authors, edited in rows:
        entry = Entry.objects.create(
            blog=blog, headline=headline, pub_date=pub, mod_date=pub, number_of_comments=comments,
            number_of_pingbacks=pingbacks, rating=rating, edited=edited,
        )  # fmt: skip
        entry.authors.add(*authors)
    Detail.objects.create(entry=Entry.objects.get(headline__startswith="What's"), text="yellow")


def fill_books() -> None:
    """Three publishers, four books, two stores."""
    penguin = Publisher.objects.create(name="Penguin", awards=3)
    ace = Publisher.objects.create(name="Ace", awards=1)
    Publisher.objects.create(name="Idle", awards=9)
    ann = Writer.objects.create(name="Ann", age=30)
    bob = Writer.objects.create(name="Bob", age=50)
    cyd = Writer.objects.create(name="Cyd", age=70)
    books = [
        ("Django", 300, "30.00", 4.5, [ann, bob], penguin, date(2007, 12, 6)),
        ("Flask", 528, "23.09", 3.0, [bob], penguin, date(2008, 3, 3)),
        ("Rails", 300, "29.69", 4.0, [ann], ace, date(2008, 6, 23)),
        ("Zope", 1132, "82.80", 2.0, [ann, bob, cyd], ace, date(2000, 1, 15)),
    ]
    made = []
    for name, pages, price, rating, writers, publisher, pubdate in books:
        book = Book.objects.create(
            name=name, pages=pages, price=Decimal(price), rating=rating, publisher=publisher, pubdate=pubdate
        )
        book.writers.add(*writers)
        made.append(book)
    Store.objects.create(name="Amazon").books.add(*made)
    Store.objects.create(name="Corner").books.add(made[0], made[3])
    Store.objects.create(name="Closed")


def fill_weather() -> None:
    """Reports of two places."""
    oslo, rome = Station.objects.create(place="Oslo"), Station.objects.create(place="Rome")
    for station, day, hour, degrees in [
        (oslo, 1, 6, -3.5), (oslo, 1, 18, -1.0), (oslo, 2, 6, None), (oslo, 3, 6, 2.0),
        (rome, 1, 6, 9.0), (rome, 2, 6, 11.5), (rome, 3, 6, 9.0), (rome, 3, 18, 14.25),
    ]:  # fmt: skip
        Weather.objects.create(station=station, at=datetime(2024, 3, day, hour, tzinfo=UTC), degrees=degrees)
