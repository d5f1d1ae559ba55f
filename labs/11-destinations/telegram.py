def handler(event, context):
    raise OSError("the line is down")
