"""The one route of our Lambda service: everything under its host, dispatched by the model.

moto finds this module beside ``models`` by name.
"""

from .responses import LambdaResponse

url_bases = [r"https?://lambda\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/.*": LambdaResponse.dispatch}
