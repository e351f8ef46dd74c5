// Tests of docs/map/mvt.js with tiles made by hand. TestTileDecoder runs them in a browser, and compares other tiles with PostGIS.

import { decodeTile, TileError } from "../map/mvt.js";

// An encoder: each function returns a list of bytes.
const varint = (n) => {
  const bytes = [];
  for (n = BigInt.asUintN(64, BigInt(n)); n > 127n; n >>= 7n) bytes.push(Number(n & 127n) | 128);
  return [...bytes, Number(n)];
};
const integer = (field, n) => [...varint(field * 8), ...varint(n)];
const bytes = (field, content) => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const text = (field, words) => bytes(field, [...new TextEncoder().encode(words)]);
const packed = (field, numbers) => bytes(field, numbers.flatMap(varint));
const fixed = (field, wire, size, set) => {
  const view = new DataView(new ArrayBuffer(size));
  set(view);
  return [...varint(field * 8 + wire), ...new Uint8Array(view.buffer)];
};
const float = (n) => fixed(2, 5, 4, (view) => view.setFloat32(0, n, true));
const double = (n) => fixed(3, 1, 8, (view) => view.setFloat64(0, n, true));
const zigzag = (n) => (n >= 0 ? 2 * n : -2 * n - 1);

const layer = (...parts) => bytes(3, parts.flat());
const named = (...parts) => layer(integer(15, 2), text(1, "cells"), ...parts);
const feature = (...parts) => bytes(2, parts.flat());
const polygon = (...commands) => feature(integer(3, 3), packed(4, commands));
const value = (content) => bytes(4, content);

const moveTo = (x, y) => [9, zigzag(x), zigzag(y)];
const lineTo = (...steps) => [steps.length / 2 * 8 + 2, ...steps.map(zigzag)];
const closePath = 15;
const square = (x, y, size) => [...moveTo(x, y), ...lineTo(size, 0, 0, size, -size, 0), closePath]; // ends at x, y + size
const hole = (x, y, size) => [...moveTo(x, y), ...lineTo(0, size, size, 0, 0, -size), closePath];

const decode = (content) => decodeTile(new Uint8Array(content));
const only = (content) => decode(content).layers.get("cells");
const properties = (tags, ...parts) => ({ ...only(named(feature(packed(2, tags)), ...parts)).features[0].properties });
const valueOf = (content) => properties([0, 0], text(3, "key"), value(content)).key;
const geometry = (...commands) => only(named(polygon(...commands))).features[0].geometry;

const good = {
  "an empty tile has no layers": [() => decode([]).layers.size, 0],
  "an ArrayBuffer is decoded, too": [() => decodeTile(new Uint8Array(named()).buffer).layers.size, 1],
  "a part of a buffer is decoded": [() => decodeTile(new Uint8Array([9, 9, ...named(), 9]).subarray(2, 2 + named().length)).layers.size, 1],
  "the extent is 4096 if the tile has none": [() => only(named()).extent, 4096],
  "the extent": [() => only(named(integer(5, 512))).extent, 512],
  "version 1": [() => only(layer(text(1, "cells"))).version, 1],
  "layers keep their order": [() => [...decode([...named(), ...layer(text(1, "a"))]).layers.keys()], ["cells", "a"]],
  "unknown fields are skipped": [
    () => only(named(integer(20, 5), bytes(21, [1, 2]), fixed(22, 1, 8, () => {}), fixed(23, 5, 4, () => {}))).name, "cells"],
  "features come before keys and values": [() => properties([0, 0], text(3, "a"), value(text(1, "b"))), { a: "b" }],
  "a property called __proto__": [
    () => only(named(feature(packed(2, [0, 0])), text(3, "__proto__"), value(text(1, "b")))).features[0].properties.__proto__, "b"],
  "tags that are not packed": [() => ({ ...only(named(feature(integer(2, 0), integer(2, 0)), text(3, "a"), value(text(1, "b")))).features[0].properties }),
    { a: "b" }],
  "commands that are not packed": [() => only(named(feature(integer(3, 1), ...moveTo(5, 7).map((n) => integer(4, n))))).features[0].geometry, [[5, 7]]],
  "no id": [() => only(named(feature())).features[0].id, undefined],
  "id 0": [() => only(named(feature(integer(1, 0)))).features[0].id, 0],
  "an id of 2^53 - 1": [() => only(named(feature(integer(1, 2n ** 53n - 1n)))).features[0].id, 9007199254740991],
  "an id beyond 2^53": [() => only(named(feature(integer(1, 2n ** 53n + 1n)))).features[0].id, 9007199254740993n],
  "an id of 2^64 - 1": [() => only(named(feature(integer(1, 2n ** 64n - 1n)))).features[0].id, 18446744073709551615n],

  "a text": [() => valueOf(text(1, "Zürich ☃ 𝄞")), "Zürich ☃ 𝄞"],
  "an empty text": [() => valueOf(text(1, "")), ""],
  "a float": [() => valueOf(float(0.1)), Math.fround(0.1)],
  "a double": [() => valueOf(double(-0.1)), -0.1],
  "an int": [() => valueOf(integer(4, -5)), -5],
  "the least int": [() => valueOf(integer(4, -(2n ** 63n))), -(2n ** 63n)],
  "a uint": [() => valueOf(integer(5, 300)), 300],
  "a sint": [() => valueOf(integer(6, zigzag(-3))), -3],
  "the least sint": [() => valueOf(integer(6, 2n ** 64n - 1n)), -(2n ** 63n)],
  "the greatest sint": [() => valueOf(integer(6, 2n ** 64n - 2n)), 2n ** 63n - 1n],
  "true": [() => valueOf(integer(7, 1)), true],
  "false": [() => valueOf(integer(7, 0)), false],

  "a point": [() => only(named(feature(integer(3, 1), packed(4, moveTo(25, 17))))).features[0].geometry, [[25, 17]]],
  "two points": [() => only(named(feature(integer(3, 1), packed(4, [17, zigzag(5), zigzag(7), zigzag(-2), zigzag(-5)])))).features[0].geometry, [[5, 7], [3, 2]]],
  "two lines": [
    () => only(named(feature(integer(3, 2), packed(4, [...moveTo(2, 2), ...lineTo(0, 8, 8, 0), ...moveTo(-9, -9), ...lineTo(2, 4)])))).features[0].geometry,
    [[[2, 2], [2, 10], [10, 10]], [[1, 1], [3, 5]]]],
  "a polygon is closed": [() => geometry(...square(0, 0, 10)), [[[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]]],
  "a hole belongs to the polygon before it": [
    () => geometry(...square(0, 0, 10), ...square(20, -10, 10), ...hole(2, -8, 3), ...square(8, -7, 1)).map((rings) => rings.length), [1, 2, 1]],
  "a ring without an area is left out": [() => geometry(...moveTo(0, 0), ...lineTo(5, 0, -5, 0), closePath, ...square(0, 0, 1)).length, 1],
  "a feature without a type": [() => only(named(feature(packed(4, moveTo(1, 2))))).features[0].geometry, [[[1, 2]]]],
  "a feature without a geometry": [() => only(named(feature(integer(3, 3)))).features[0].geometry, []],
};

const broken = {
  "packed with gzip": [[0x1f, 0x8b, 8, 0], "gzip"],
  "not a tile": [[...new TextEncoder().encode("<html>")], "wire type 4"],
  "cut in the middle": [named(polygon(...square(0, 0, 10))).slice(0, -3), "bytes announced"],
  "cut in an integer": [[0x1a, 0x80], "ends in the middle"],
  "cut in a double": [[0x09, 1, 2], "ends in the middle"],
  "an integer of 11 bytes": [[0x08, ...Array(10).fill(0xff), 1], "64 bits"],
  "an integer of 65 bits": [[0x08, ...Array(9).fill(0xff), 2], "64 bits"],
  "a length of 40 bits": [[0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "32 bits"],
  "a field with number 0": [[0x00, 0], "number 0"],
  "a group": [[0x0b], "wire type 3"],
  "a layer that is a number": [integer(3, 1), "wire type 0: want 2"],
  "a name that is a number": [layer(integer(1, 1)), "wire type 0: want 2"],
  "a float of 8 bytes": [named(value(fixed(2, 1, 8, () => {}))), "wire type 1: want 5"],
  "no name": [layer(integer(15, 2)), "no name"],
  "version 3": [layer(integer(15, 3), text(1, "cells")), "version 3"],
  "extent 0": [named(integer(5, 0)), "extent 0"],
  "an extent of 33 bits": [named(integer(5, 2n ** 32n)), "32 bits"],
  "two layers with one name": [[...named(), ...named()], "two layers are called cells"],
  "a text that is not UTF-8": [layer(bytes(1, [0xff])), "not UTF-8"],
  "a value without a type": [named(value([])), "no type"],
  "a key without a value": [named(feature(packed(2, [0]))), "pairs"],
  "a key that the layer lacks": [named(feature(packed(2, [0, 0]))), "layer cells, feature 0: key 0 of 0"],
  "a value that the layer lacks": [named(feature(packed(2, [0, 1])), text(3, "a"), value(text(1, "b"))), "value 1 of 1"],
  "an unknown geometry": [named(feature(integer(3, 4))), "geometry type 4"],
  "an unknown command": [named(polygon(11, 0, 0)), "geometry command 3"],
  "LineTo at the beginning": [named(polygon(10, 2, 2)), "LineTo without MoveTo"],
  "LineTo after ClosePath": [named(polygon(...square(0, 0, 1), 10, 2, 2)), "LineTo without MoveTo"],
  "ClosePath at the beginning": [named(polygon(15)), "ClosePath without a path"],
  "ClosePath twice": [named(polygon(...square(0, 0, 1), 15)), "ClosePath without a path"],
  "ClosePath with a count": [named(polygon(...moveTo(0, 0), ...lineTo(1, 0, 0, 1), 23)), "ClosePath 2 times"],
  "MoveTo without positions": [named(polygon(1)), "0 positions announced"],
  "more positions than there are": [named(polygon(9, 2)), "1 positions announced, 0 in the tile"],
  "536 million positions": [named(polygon(0xfffffff9, 2, 2)), "536870911 positions announced, 1 in the tile"],
  "a ring that is open": [named(polygon(...moveTo(0, 0), ...lineTo(1, 0, 0, 1))), "not closed"],
  "a ring with two positions": [named(polygon(...moveTo(0, 0), ...lineTo(1, 0), 15)), "2 positions"],
  "a polygon that begins with a hole": [named(polygon(...hole(0, 0, 5))), "begins with a hole"],
  "a point with LineTo": [named(feature(integer(3, 1), packed(4, [...moveTo(0, 0), ...lineTo(1, 0)]))), "a point has"],
  "a line with one position": [named(feature(integer(3, 2), packed(4, moveTo(0, 0)))), "one position"],
  "a closed line": [named(feature(integer(3, 2), packed(4, [...moveTo(0, 0), ...lineTo(1, 0), 15]))), "ClosePath"],
};

// BigInt has no JSON, and undefined neither.
const json = (value) => JSON.stringify(value, (_, v) =>
  typeof v === "bigint" ? { bigint: String(v) } : v instanceof Map ? Object.fromEntries(v) : v === undefined ? { undefined: true } : v);

// runTests returns how many tests there are, and what fails.
window.runTests = () => {
  const failures = [];
  for (const [name, [run, want]] of Object.entries(good)) {
    try {
      const got = run();
      if (json(got) !== json(want)) failures.push(`${name}: got ${json(got)}, want ${json(want)}`);
    } catch (err) {
      failures.push(`${name}: ${err.stack}`);
    }
  }

  for (const [name, [content, words]] of Object.entries(broken)) {
    try {
      failures.push(`${name}: decoded as ${json(decode(content).layers)}`);
    } catch (err) {
      if (!(err instanceof TileError) || !err.message.includes(words)) failures.push(`${name}: want ${words} in ${err.stack}`);
    }
  }

  return { count: Object.keys(good).length + Object.keys(broken).length, failures };
};

// decodeHex returns the layers of a tile as JSON.
window.decodeHex = (hex) => json(decode(hex.match(/../g).map((digits) => parseInt(digits, 16))).layers);

// decodeChanged decodes a tile with each of its bytes changed or cut off. It returns what is thrown and no TileError.
window.decodeChanged = (hex) => {
  const original = hex.match(/../g).map((digits) => parseInt(digits, 16)), failures = [];
  const attempt = (name, content) => {
    try {
      decode(content);
    } catch (err) {
      if (!(err instanceof TileError)) failures.push(`${name}: ${err.stack}`);
    }
  };
  original.forEach((byte, i) => {
    attempt(`cut at ${i}`, original.slice(0, i));
    for (const changed of [0, 127, 255, byte ^ 1, byte ^ 8, byte ^ 128]) attempt(`byte ${i} is ${changed}`, original.with(i, changed));
  });
  return failures;
};
window.testsAreReady = true;
