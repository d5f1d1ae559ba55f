// One mile is 1.609344 km, by definition.
module.exports = (kilometres) => Math.round(kilometres / 1.609344);
