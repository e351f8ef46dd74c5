// The map of index.html: the cells coloured by kilometres, with a legend, and the attributes of the cell below the pointer.

/* global L */
import { vectorLayer } from "./tile-layer.js";

// Each class begins at a number of kilometres.
const classes = [
  [0, "#f6f0d8"], [10, "#d5e5c3"], [25, "#9dd0b5"], [50, "#5cb3b0"], [100, "#3189a6"], [150, "#225f8f"], [200, "#1d346c"],
];
const colour = (km) => classes.findLast(([from]) => km >= from)?.[1] ?? classes[0][1];

const map = L.map("map", { minZoom: 2, maxZoom: 12, zoomControl: true, attributionControl: false });
L.control.attribution({ prefix: false, position: "bottomleft" }).addAttribution("Countries: Natural Earth, public domain").addTo(map);
L.control.scale({ imperial: false }).addTo(map);

const cells = vectorLayer("tiles/cells_tile/{z}/{x}/{y}.mvt", {
  styles: {
    cells: ({ km }) => ({ fill: colour(km), stroke: "rgba(255, 255, 255, 0.6)", width: 0.5 }),
    countries: () => ({ stroke: "#26323c", width: 1.2 }),
  },
});
const highlight = L.featureGroup().addTo(map);
const element = (id) => document.getElementById(id);

cells.on("loading", () => { element("trouble").textContent = ""; });
cells.on("tileerror", (event) => { element("trouble").textContent = event.error.message; });
cells.on("load", () => {
  const ids = new Set(cells.features("cells").map((feature) => feature.id));
  element("cells").textContent = `${ids.size.toLocaleString("en")} cells in these tiles, kilometres:`;
});

// Leaflet sends a click for a tap, too.
map.on("mousemove click", (event) => show(cells.featureAt("cells", event.latlng)));
map.on("mouseout zoomstart", () => show(undefined));

let shown;
function show(feature) {
  if (feature?.id === shown) return;
  shown = feature?.id;
  highlight.clearLayers();
  element("attributes").replaceChildren();
  if (!feature) return;

  // Tiles cut a cell: all its parts are highlighted.
  for (const part of cells.features("cells").filter(({ id }) => id === shown)) {
    L.polygon(cells.outline(part), { stroke: false, fillColor: "#f2a33a", fillOpacity: 0.85, interactive: false }).addTo(highlight);
  }
  for (const [key, value] of [["cell_id", feature.id], ...Object.entries(feature.properties)]) {
    const row = element("attributes").insertRow();
    row.append(Object.assign(document.createElement("th"), { textContent: key }));
    row.insertCell().textContent = typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(5) : String(value);
  }
}

for (const [from, shade] of classes) {
  const box = document.createElement("div");
  box.style.setProperty("--colour", shade);
  box.textContent = from;
  element("legend").append(box);
}

// #zoom/latitude/longitude, for a link to a place.
const place = location.hash.match(/^#(\d+)\/(-?[\d.]+)\/(-?[\d.]+)$/);
map.setView(place ? [Number(place[2]), Number(place[3])] : [46.5, 8], place ? Number(place[1]) : 5);
cells.addTo(map);

// For tests, and for the console of the browser.
window.gridMap = { map, cells };
