// Decodes Mapbox Vector Tiles, versions 1 and 2: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
//
//   import { decodeTile } from "./mvt.js";
//   const { layers } = decodeTile(await response.arrayBuffer());
//   for (const feature of layers.get("cells").features) { ... }
//
// A feature has an id (undefined if the tile has none), a type ("point", "line", "polygon" or "unknown"), its properties and
// its geometry in units of the layer's extent, with y downwards:
//
//   point    a list of positions [x, y]
//   line     a list of lines, each a list of positions
//   polygon  a list of polygons, each a list of rings: the outer one, then the holes; the last position repeats the first
//
// Integers beyond 2^53, ids among them, are BigInt. Smaller ones are numbers.

import { Reader, TileError } from "./protobuf.js";

export { TileError };

const types = ["unknown", "point", "line", "polygon"];
const moveTo = 1, lineTo = 2, closePath = 7;

// decodeTile returns the layers of a tile by their names. Its argument is an ArrayBuffer or a Uint8Array. It throws a TileError
// if the bytes are not a tile.
export function decodeTile(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new TileError("the tile is packed with gzip: serve it with the header Content-Encoding: gzip");
  }

  const layers = new Map();
  new Reader(bytes).fields((field, reader) => {
    if (field !== 3) return false;
    const layer = decodeLayer(reader.message());
    if (layers.has(layer.name)) throw new TileError(`two layers are called ${layer.name}`);
    layers.set(layer.name, layer);
    return true;
  });
  return { layers };
}

function decodeLayer(reader) {
  const layer = { name: undefined, version: 1, extent: 4096, features: [] };
  const keys = [], values = [], messages = [];

  reader.fields((field, r) => {
    switch (field) {
      case 1: layer.name = r.string(); return true;
      case 2: messages.push(r.message()); return true; // keys and values may follow
      case 3: keys.push(r.string()); return true;
      case 4: values.push(decodeValue(r.message())); return true;
      case 5: layer.extent = r.number(); return true;
      case 15: layer.version = r.number(); return true;
      default: return false;
    }
  });

  if (layer.name === undefined) throw new TileError("a layer has no name");
  const named = `layer ${layer.name}`;
  if (layer.version !== 1 && layer.version !== 2) throw new TileError(`${named} has version ${layer.version}: want 1 or 2`);
  if (!(layer.extent > 0)) throw new TileError(`${named} has extent ${layer.extent}`);

  layer.features = messages.map((message, i) => {
    try {
      return decodeFeature(message, keys, values);
    } catch (err) {
      throw err instanceof TileError ? new TileError(`${named}, feature ${i}: ${err.message}`) : err;
    }
  });
  return layer;
}

function decodeFeature(reader, keys, values) {
  let id, type = 0;
  const tags = [], commands = [];
  reader.fields((field, r) => {
    switch (field) {
      case 1: id = r.integer(); return true;
      case 2: r.packed(tags); return true;
      case 3: type = r.number(); return true;
      case 4: r.packed(commands); return true;
      default: return false;
    }
  });

  if (types[type] === undefined) throw new TileError(`geometry type ${type}: want 0 to 3`);
  return { id, type: types[type], properties: decodeTags(tags, keys, values), geometry: decodeGeometry(types[type], commands) };
}

// decodeTags returns an object without a prototype, because a key may be called "__proto__".
function decodeTags(tags, keys, values) {
  if (tags.length % 2 !== 0) throw new TileError(`${tags.length} tags: want pairs of a key and a value`);
  const properties = Object.create(null);
  for (let i = 0; i < tags.length; i += 2) {
    if (tags[i] >= keys.length) throw new TileError(`key ${tags[i]} of ${keys.length}`);
    if (tags[i + 1] >= values.length) throw new TileError(`value ${tags[i + 1]} of ${values.length}`);
    properties[keys[tags[i]]] = values[tags[i + 1]];
  }
  return properties;
}

function decodeValue(reader) {
  let value;
  reader.fields((field, r) => {
    switch (field) {
      case 1: value = r.string(); return true;
      case 2: value = r.float(); return true;
      case 3: value = r.double(); return true;
      case 4: value = r.signed(); return true;
      case 5: value = r.integer(); return true;
      case 6: value = r.zigzag(); return true;
      case 7: value = r.number() !== 0; return true;
      default: return false;
    }
  });
  if (value === undefined) throw new TileError("a value has no type");
  return value;
}

// decodeGeometry turns commands into paths, and paths into the geometry of a type.
function decodeGeometry(type, commands) {
  const paths = []; // a path has positions, and is closed or not
  let x = 0, y = 0;

  for (let i = 0; i < commands.length;) {
    const command = commands[i] & 7, count = Math.floor(commands[i] / 8);
    i++;
    if (command === closePath) {
      if (count !== 1) throw new TileError(`ClosePath ${count} times: want once`);
      if (paths.length === 0 || paths.at(-1).closed) throw new TileError("ClosePath without a path");
      paths.at(-1).closed = true;
      continue;
    }

    if (command !== moveTo && command !== lineTo) throw new TileError(`geometry command ${command}: want 1, 2 or 7`);
    if (command === lineTo && (paths.length === 0 || paths.at(-1).closed)) throw new TileError("LineTo without MoveTo");
    if (count === 0 || 2 * count > commands.length - i) {
      throw new TileError(`${count} positions announced, ${Math.floor((commands.length - i) / 2)} in the tile`);
    }
    for (const end = i + 2 * count; i < end; i += 2) {
      x += unzigzag(commands[i]);
      y += unzigzag(commands[i + 1]);
      if (command === moveTo) paths.push({ positions: [], closed: false });
      paths.at(-1).positions.push([x, y]);
    }
  }

  switch (type) {
    case "point": return points(paths);
    case "line": return lines(paths);
    case "polygon": return polygons(paths);
    default: return paths.map((path) => path.positions);
  }
}

const unzigzag = (n) => (n % 2 === 0 ? n / 2 : -(n + 1) / 2);

function points(paths) {
  if (paths.some((path) => path.closed || path.positions.length > 1)) throw new TileError("a point has LineTo or ClosePath");
  return paths.map((path) => path.positions[0]);
}

function lines(paths) {
  if (paths.some((path) => path.closed)) throw new TileError("a line has ClosePath");
  if (paths.some((path) => path.positions.length < 2)) throw new TileError("a line has one position");
  return paths.map((path) => path.positions);
}

// polygons gives each hole to the outer ring before it. An outer ring turns clockwise on the screen: its area is positive.
function polygons(paths) {
  const all = [];
  for (const { positions, closed } of paths) {
    if (!closed) throw new TileError("a ring is not closed");
    if (positions.length < 3) throw new TileError(`a ring has ${positions.length} positions: want 3 or more`);
    const ring = [...positions, positions[0]], area = twiceArea(ring);
    if (area === 0) continue; // nothing to draw; version 1 allows such rings
    if (area > 0) all.push([ring]);
    else if (all.length > 0) all.at(-1).push(ring);
    else throw new TileError("a polygon begins with a hole");
  }
  return all;
}

function twiceArea(ring) {
  let sum = 0;
  for (let i = 1; i < ring.length; i++) sum += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
  return sum;
}
