// Generated from strategy-pods/strategies/*/schema.json by operator/scripts/generate-catalog.mjs; do not edit.

/** Built-in strategies, and the JSON schema of the parameters of each. */
export const catalog: Readonly<Record<string, object>> = {
  "imbalance-maker": {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Parameters of imbalance-maker",
    "description": "Quotes both sides at or behind the touch, leaning against its inventory and with the book.",
    "type": "object",
    "properties": {
      "orderNotional": {
        "default": "50",
        "description": "Value of each quote, in the quote asset of the pair. Must reach the pair’s minimum notional.",
        "type": "string",
        "pattern": "^(?!0(\\.0+)?$)(0|[1-9][0-9]{0,14})(\\.[0-9]{1,8})?$"
      },
      "maxInventoryNotional": {
        "default": "200",
        "description": "Largest |position| per pair that quotes may build, in the quote asset. A side that would pass it is pulled.",
        "type": "string",
        "pattern": "^(?!0(\\.0+)?$)(0|[1-9][0-9]{0,14})(\\.[0-9]{1,8})?$"
      },
      "minEdgeBps": {
        "default": 0,
        "description": "Least distance of a quote from the fair price, in basis points of it.",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      },
      "inventorySkewBps": {
        "default": 1,
        "description": "Shift of the fair price against the position at full inventory, in basis points.",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      },
      "imbalanceSkewBps": {
        "default": 0.2,
        "description": "Shift of the fair price towards the heavier side at full book imbalance, in basis points.",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      },
      "imbalanceLevels": {
        "default": 5,
        "description": "Levels per side that count as book imbalance.",
        "type": "integer",
        "minimum": 1,
        "maximum": 20
      },
      "toleranceBps": {
        "default": 0.15,
        "description": "A resting quote stays while its price is this near to the wanted one, in basis points: the price of frugality with the order rate.",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      }
    },
    "additionalProperties": false
  },
  "momentum-taker": {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Parameters of momentum-taker",
    "description": "Takes in the direction of bursts of order flow that the book confirms; leaves by stop or time.",
    "type": "object",
    "properties": {
      "orderNotional": {
        "default": "50",
        "description": "Value of each entry, in the quote asset of the pair. Must reach the pair’s minimum notional.",
        "type": "string",
        "pattern": "^(?!0(\\.0+)?$)(0|[1-9][0-9]{0,14})(\\.[0-9]{1,8})?$"
      },
      "flowWindowMs": {
        "default": 150,
        "description": "Memory of the order flow: trades fade with this time constant, in milliseconds.",
        "type": "integer",
        "minimum": 10,
        "maximum": 60000
      },
      "baselineMs": {
        "default": 30000,
        "description": "Time over which the typical strength of the flow is learnt, in milliseconds.",
        "type": "integer",
        "minimum": 1000,
        "maximum": 3600000
      },
      "burst": {
        "default": 1.2,
        "description": "Flow that counts as a burst, as a multiple of its typical strength.",
        "type": "number",
        "minimum": 0.1,
        "maximum": 100
      },
      "minImbalance": {
        "default": 0,
        "description": "Least book imbalance in the direction of the burst: −1 asks for nothing, 1 for a one-sided book.",
        "type": "number",
        "minimum": -1,
        "maximum": 1
      },
      "imbalanceLevels": {
        "default": 5,
        "description": "Levels per side that count as book imbalance.",
        "type": "integer",
        "minimum": 1,
        "maximum": 20
      },
      "collarBps": {
        "default": 2,
        "description": "How far through the touch an order may trade, in basis points.",
        "type": "number",
        "minimum": 0,
        "maximum": 500
      },
      "stopBps": {
        "default": 3,
        "description": "Move of the mid against the entry price that ends the trade, in basis points.",
        "type": "number",
        "minimum": 0.1,
        "maximum": 1000
      },
      "holdMs": {
        "default": 400,
        "description": "Longest time a position is held, in milliseconds.",
        "type": "integer",
        "minimum": 1,
        "maximum": 3600000
      },
      "coolDownMs": {
        "default": 100,
        "description": "Pause after each trade, in milliseconds.",
        "type": "integer",
        "minimum": 0,
        "maximum": 3600000
      }
    },
    "additionalProperties": false
  },
  "touch-maker": {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Parameters of touch-maker",
    "description": "Lets the core quote the touch by a rule of its own, and pauses it while the market runs.",
    "type": "object",
    "properties": {
      "orderNotional": {
        "default": "50",
        "description": "Value of each quote, in the quote asset of the pair. Must reach the pair’s minimum notional.",
        "type": "string",
        "pattern": "^(?!0(\\.0+)?$)(0|[1-9][0-9]{0,14})(\\.[0-9]{1,8})?$"
      },
      "maxInventoryNotional": {
        "default": "200",
        "description": "Largest |position| per pair that quotes may build, in the quote asset. A side that would pass it is pulled.",
        "type": "string",
        "pattern": "^(?!0(\\.0+)?$)(0|[1-9][0-9]{0,14})(\\.[0-9]{1,8})?$"
      },
      "imbalanceSkewBps": {
        "default": 0.2,
        "description": "Shift of both quotes towards the heavier side at full book imbalance, in basis points.",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      },
      "imbalanceLevels": {
        "default": 5,
        "description": "Levels per side that count as book imbalance.",
        "type": "integer",
        "minimum": 1,
        "maximum": 10
      },
      "pullImbalance": {
        "default": 0.9,
        "description": "The side that a book imbalance beyond this speaks against is pulled. 1: never.",
        "type": "number",
        "minimum": 0.000001,
        "maximum": 1
      },
      "inventorySkewBps": {
        "default": 1,
        "description": "Shift of both quotes against the position at full inventory, in basis points.",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      },
      "toleranceTicks": {
        "default": 200,
        "description": "A resting quote stays while its price is this near to the wanted one, in ticks: the price of frugality with the order rate.",
        "type": "integer",
        "minimum": 0,
        "maximum": 1000000
      },
      "pauseAfterBps": {
        "default": 10,
        "description": "Quoting pauses when the mid moves by more than this within a second, in basis points.",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      },
      "pauseMs": {
        "default": 2000,
        "description": "Length of a pause, in milliseconds.",
        "type": "integer",
        "minimum": 0,
        "maximum": 600000
      }
    },
    "additionalProperties": false
  }
};
