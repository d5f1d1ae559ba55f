"""AWS's own sentences about event source mappings.

Stands for: the *Errors* of CreateEventSourceMapping, UpdateEventSourceMapping,
GetEventSourceMapping and DeleteEventSourceMapping in the Lambda API reference.

Where no record of AWS's sentence was found, the factory's docstring says that the words are ours.
"""

from __future__ import annotations

from .errors import LambdaError, invalid


def unrecognized() -> LambdaError:
    return invalid("Unrecognized event source.")


def function_missing() -> LambdaError:
    """400, not 404: so AWS answers here."""
    return invalid("Function does not exist")


def mapping_not_found() -> LambdaError:
    return LambdaError("ResourceNotFoundException", "The resource you requested does not exist.",
                       404)


def in_use(verb: str) -> LambdaError:
    """It is being created, changed or deleted; ``verb``: update or delete."""
    return LambdaError("ResourceInUseException",
                       f"Cannot {verb} the event source mapping because it is in use.")


def exists(kind: str, source: str, function: str, uuid: str) -> LambdaError:
    """AWS words it in two ways, with blanks inside the quotation marks in both."""
    if kind == "sqs":
        first = f'An event source mapping with SQS arn (" {source} ") and function (" {function} ")'
        middle = "already exists"
    else:
        first = f'The event source arn (" {source} ") and function (" {function} ")'
        middle = "provided mapping already exists"
    return LambdaError("ResourceConflictException",
                       f"{first} {middle}. Please update or delete the existing mapping with UUID "
                       f"{uuid}", 409)


# -- what the execution role may do ----------------------------------------------------------------

def may_not_read_queue(operation: str) -> LambdaError:
    return invalid("The function execution role does not have permissions to call "
                   f"{operation} on SQS")


def may_not_read_stream(arn: str) -> LambdaError:
    return invalid(f"Cannot access stream {arn}. Please ensure the role can perform the GetRecords, "
                   "GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.")


def may_not_send(operation: str, arn: str) -> LambdaError:
    """The words are those of asynchronous invocations' destinations."""
    return invalid("The function's execution role does not have permissions to call "
                   f"{operation} on {arn}")


# -- where a stream is read from -------------------------------------------------------------------

def no_position_for_queues() -> LambdaError:
    return invalid("StartingPosition is not valid for SQS event sources.")


def position_needed() -> LambdaError:
    return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy "
                   "constraint: Member must not be null.")


def timestamp_without_position() -> LambdaError:
    return invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP")


def timestamp_needed() -> LambdaError:
    """The words are ours."""
    return invalid("StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp.")


def timestamp_negative() -> LambdaError:
    return invalid("Received Exception while reading from provided stream. class java.lang.Long can "
                   "not be converted to a Timestamp")


def position_unsupported(arn: str) -> LambdaError:
    return invalid(f"Unsupported starting position for arn type: {arn}")


# -- the source itself -----------------------------------------------------------------------------

def queue_missing() -> LambdaError:
    return invalid("Error occurred while ReceiveMessage. SQS Error Code: "
                   "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue "
                   "does not exist.")


def stream_missing(arn: str) -> LambdaError:
    return invalid(f"Stream not found: {arn}")


def visibility_too_short(visibility: int, timeout: int) -> LambdaError:
    return invalid(f"Queue visibility timeout: {visibility} seconds is less than Function timeout: "
                   f"{timeout} seconds")


# -- options ---------------------------------------------------------------------------------------

def unsupported(option: str) -> LambdaError:
    """An option of another type of source, or one that AWS didn't have yet (limits profile)."""
    return invalid(f"Unsupported {option} parameter for given event source mapping type.")


def window_needed() -> LambdaError:
    return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is "
                   "greater than 10")


def window_of_fifo() -> LambdaError:
    return invalid("Batching window is not supported for FIFO queues")


def out_of_range(member: str, value: int, low: int, high: int) -> LambdaError:
    """A range that depends on the type of source. The words are ours, after AWS's."""
    side = (f"less than or equal to {high}" if value > high else
            f"greater than or equal to {low}")
    return invalid(f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy "
                   f"constraint: Member must have value {side}")


def filter_invalid() -> LambdaError:
    return invalid("Invalid filter pattern definition.")


def too_many_filters(limit: int) -> LambdaError:
    """The words are ours."""
    return invalid(f"A mapping can have at most {limit} filters.")


def destination_invalid(destination: str) -> LambdaError:
    return invalid("The provided destination config DestinationConfig(onSuccess=null, onFailure="
                   f"OnFailure(destination={destination})) is invalid.")
