def handler(event, context):
    return {"sent to": event["address"]}
