def handler(event, context):
    return "a pot of " + event["tea"]
