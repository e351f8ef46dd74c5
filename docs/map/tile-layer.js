// A Leaflet layer that draws vector tiles on canvases. Leaflet itself must be loaded, as the global L.
//
//   const cells = vectorLayer("/tiles/cells_tile/{z}/{x}/{y}.mvt", {
//     styles: { cells: (properties) => ({ fill: "#2b85a3" }), countries: () => ({ stroke: "#333", width: 1 }) },
//   }).addTo(map);
//
// styles has a function for each layer of the tiles that is drawn, in the order of drawing. It gets the properties of a feature and
// returns fill, stroke and width, or nothing for a feature that is not drawn. The other options are those of L.GridLayer.

/* global L */
import { decodeTile } from "./mvt.js";

const VectorLayer = L.GridLayer.extend({
  // Leaflet asks for tiles beyond 180 degrees, too, unless the layer has bounds.
  options: { tileSize: 256, noWrap: true, bounds: [[-85.06, -180], [85.06, 180]], styles: {} },

  initialize(url, options) {
    this._url = url;
    this._decoded = new Map(); // layers of the tiles on the map, by Leaflet's keys
    L.setOptions(this, options);
    this.on("tileunload", (event) => {
      event.tile.abort.abort();
      this._decoded.delete(this._tileCoordsToKey(event.coords));
    });
  },

  createTile(coords, done) {
    const size = this.getTileSize(), canvas = document.createElement("canvas"), ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(size.x * ratio);
    canvas.height = Math.round(size.y * ratio);
    canvas.abort = new AbortController();
    this._fetch(coords, canvas.abort.signal).then((layers) => {
      if (canvas.abort.signal.aborted) return;
      this._decoded.set(this._tileCoordsToKey(coords), { coords, layers });
      this._draw(canvas, layers);
      done(null, canvas);
    }).catch((err) => {
      if (err.name !== "AbortError") done(new Error(`tile ${coords.z}/${coords.x}/${coords.y}: ${err.message}`), canvas);
    });
    return canvas;
  },

  async _fetch(coords, signal) {
    const response = await fetch(L.Util.template(this._url, coords), { signal });
    if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 200)}`);
    return decodeTile(await response.arrayBuffer()).layers;
  },

  _draw(canvas, layers) {
    const context = canvas.getContext("2d");
    context.lineJoin = "round";
    for (const [name, style] of Object.entries(this.options.styles)) {
      const layer = layers.get(name);
      if (!layer) continue;
      const scale = canvas.width / layer.extent;
      for (const feature of layer.features) drawFeature(context, feature, style(feature.properties), scale);
    }
  },

  // features returns what a layer of all tiles of the map's zoom has. A feature that several tiles have comes once for each.
  features(name) {
    return [...this._decoded.values()].filter(({ coords }) => coords.z === this._tileZoom).flatMap(({ coords, layers }) =>
      (layers.get(name)?.features ?? []).map((feature) => ({ ...feature, coords, extent: layers.get(name).extent })));
  },

  // featureAt returns the topmost polygon of a layer at a place, or undefined.
  featureAt(name, latlng) {
    const size = this.getTileSize(), point = this._map.project(latlng, this._tileZoom).unscaleBy(size);
    const coords = point.floor();
    coords.z = this._tileZoom;
    const layer = this._decoded.get(this._tileCoordsToKey(coords))?.layers.get(name);
    if (!layer) return undefined;

    const at = point.subtract(coords).multiplyBy(layer.extent);
    return layer.features.findLast((feature) =>
      feature.type === "polygon" && feature.geometry.some((polygon) => isInside(polygon, at.x, at.y)));
  },

  // outline returns the polygons of a feature of features() in degrees, as L.polygon takes them.
  outline(feature) {
    const size = this.getTileSize();
    const toLatLng = ([x, y]) => this._map.unproject(
      L.point(x, y).divideBy(feature.extent).add(feature.coords).scaleBy(size), feature.coords.z);
    return feature.geometry.map((polygon) => polygon.map((ring) => ring.map(toLatLng)));
  },
});

export function vectorLayer(url, options) {
  return new VectorLayer(url, options);
}

function drawFeature(context, feature, style, scale) {
  if (!style) return;
  const radius = style.radius ?? 3;
  context.beginPath();
  switch (feature.type) {
    case "polygon": feature.geometry.flat().forEach((ring) => trace(context, ring, scale)); break;
    case "line": feature.geometry.forEach((line) => trace(context, line, scale)); break;
    case "point":
      for (const [x, y] of feature.geometry) {
        context.moveTo(x * scale + radius, y * scale);
        context.arc(x * scale, y * scale, radius, 0, 2 * Math.PI);
      }
  }

  if (style.fill && feature.type !== "line") {
    context.fillStyle = style.fill;
    context.fill("evenodd");
  }
  if (style.stroke) {
    context.strokeStyle = style.stroke;
    context.lineWidth = (style.width ?? 1) * (window.devicePixelRatio || 1);
    context.stroke();
  }
}

function trace(context, positions, scale) {
  positions.forEach(([x, y], i) => (i === 0 ? context.moveTo(x * scale, y * scale) : context.lineTo(x * scale, y * scale)));
}

// isInside counts the edges that a ray to the right crosses, those of holes too.
function isInside(polygon, x, y) {
  let inside = false;
  for (const ring of polygon) {
    for (let i = 1; i < ring.length; i++) {
      const [x1, y1] = ring[i - 1], [x2, y2] = ring[i];
      if (y1 > y !== y2 > y && x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)) inside = !inside;
    }
  }
  return inside;
}
