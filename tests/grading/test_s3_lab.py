"""Lab 09 graded: the solution, the untouched notebook, and what one gets wrong with buckets."""

from .hand_in import IN_THE_JUDGE, Class, lab_tests

pytestmark = IN_THE_JUDGE
LAB_9 = Class("09-s3-notifications")
changed = LAB_9.changed
FULL = [3, 3, 2, 2]
WITHOUT_SEQUENCER = LAB_9.solutions["keys-write"]

# Name: the answers, the points of each task, and a part of a reason that it is given.
WRONG_ANSWERS = {
    "lets-nobody-in": (
        {"told_set": "s3.put_bucket_notification_configuration"
                     + LAB_9.solutions["told-set"].split("s3.put_bucket_notification_configuration")[1]},
        [0, 1, 1, 1], "menu/check.jpg was put. catalogue was told of it 0 times"),
    "lets-every-bucket-in": (
        {"told_set": changed("told-set", 'SourceArn="arn:aws:s3:::tea-photos", ', "")},
        [2, 3, 2, 2], "Only the bucket tea-photos should be let in"),
    "a-star-for-any": (
        {"told_set": changed("told-set", '"Value": ".jpg"', '"Value": "*.jpg"')},
        [1, 1, 1, 1], "menu/check.jpg was put. catalogue was told of it 0 times"),
    "without-a-prefix": (
        {"told_set": changed("told-set", '\n                {"Name": "prefix", "Value": "menu/"},', "")},
        [2, 3, 2, 2], "staff/ada.jpg was put. catalogue was told of it 1 times"),
    "puts-only": (
        {"told_set": changed("told-set", "ObjectCreated:*", "ObjectCreated:Put")},
        [2, 3, 2, 2], "A copy is a new object too"),
    "deletions-too": (
        {"told_set": changed("told-set", '"s3:ObjectCreated:*"',
                             '"s3:ObjectCreated:*", "s3:ObjectRemoved:*"')},
        [2, 3, 2, 2], "menu/copy.jpg was deleted"),
    "keys-as-they-come": (
        {"order_write": changed("order-write", 'unquote_plus(photo["key"])', 'photo["key"]')},
        [3, 2, 2, 2], "menu/assam & milk.jpg has seven bytes. The table photos says None"),
    "a-plus-is-a-plus": (
        {"order_write": changed("order-write", "unquote_plus", "unquote")},
        [3, 2, 2, 2], "menu/assam & milk.jpg has seven bytes. The table photos says None"),
    "the-first-record-only": (
        {"order_write": changed("order-write", 'event["Records"]:', 'event["Records"][:1]:')},
        [3, 2, 2, 2], "An event had two records"),
    "what-came-last": (
        {"order_write": WITHOUT_SEQUENCER},
        [3, 3, 1, 2], "Five events of one key came"),
    "only-once": (
        {"order_write": changed("order-write", " OR #at < :at", "",
                                '"attribute_not_exists(#at)"',
                                '"attribute_not_exists(#at) AND :at = :at"')},
        [3, 3, 0, 2], "was put with 1, 2 and 3 bytes"),
    "fails-on-the-old": (
        {"order_write": changed("order-write", '            print("something newer is there")',
                                '            raise')},
        [3, 3, 1, 2], "catalogue should not fail when something newer"),
    "two-notifications-for-two": (
        {"every_set": "s3.put_bucket_versioning(Bucket='tea-photos', "
                      "VersioningConfiguration={'Status': 'Suspended'})"},
        [3, 3, 2, 0], "menu/today.jpg was put twice at one instant"),
}


def test_points_and_tasks():
    assert LAB_9.lab.points == 10
    assert list(LAB_9.lab.tasks) == ["told", "keys", "order", "every"]


def test_the_student_notebook_gives_nothing_away():
    assert LAB_9.given_away("unquote", "attribute_not_exists", "Versioning") == []


# Who isn't told of anything lacks all that comes of it.
NOTHING_COMES = ["keys-as-they-come", "a-plus-is-a-plus", "only-once", "two-notifications-for-two"]
TestGraded = lab_tests(
    LAB_9, WRONG_ANSWERS, FULL, untouched=[
        "catalogue was told of it 0 times", "The bucket keeps one object of a key only"],
    also={"lets-nobody-in": [*NOTHING_COMES, "a-star-for-any"],
          "a-star-for-any": [*NOTHING_COMES, "lets-nobody-in"],
          "keys-as-they-come": ["a-plus-is-a-plus"], "a-plus-is-a-plus": ["keys-as-they-come"],
          "only-once": ["what-came-last"]})
