#!/usr/bin/python3
"""Draws the map of docs/maps.md with QGIS, without a screen.

    QT_QPA_PLATFORM=offscreen python3 docs/map/qgis_picture.py SERVICE PICTURE

SERVICE is a section of the file pg_service.conf. The tables are those of the page.
"""

import sys

from qgis.core import (
    QgsApplication,
    QgsClassificationRange,
    QgsDataSourceUri,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalLayerSettings,
    QgsRectangle,
    QgsRendererRange,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QPainter, QPen

CLASSES = [  # each begins at a number of kilometres
    (0, "#f6f0d8"), (10, "#d5e5c3"), (25, "#9dd0b5"), (50, "#5cb3b0"), (75, "#3189a6"), (100, "#225f8f"), (150, "#1d346c"),
]
LAST = 250  # no cell is further from a border
INK, GREY, SEA = "#26323c", "#5b6873", "#eef2f5"
SIZE = QSize(1100, 1120)
EXTENT = QgsRectangle(3160000, 1490000, 5060000, 3610000 - 185000)


def open_layer(service, table, key):
    """Opens a table or a view as a layer, as Layer > Add Layer does."""
    uri = QgsDataSourceUri()
    uri.setConnection(service, "", "", "")
    uri.setDataSource("public", table, "geom", "", key)
    layer = QgsVectorLayer(uri.uri(False), table, "postgres")
    if not layer.isValid():
        sys.exit(f"qgis_picture.py: QGIS cannot open {table}: {layer.error().message() or layer.dataProvider().error().message()}")
    return layer


def style_cells(layer):
    """Colours the cells by kilometres. The outline has the colour of the cell: white gaps would make the map paler."""
    ranges = []
    for i, (lower, colour) in enumerate(CLASSES):
        upper = CLASSES[i + 1][0] if i + 1 < len(CLASSES) else LAST
        symbol = QgsFillSymbol.createSimple({"color": colour, "outline_color": "#ffffff", "outline_width": "0.06"})
        ranges.append(QgsRendererRange(QgsClassificationRange(f"{lower} to {upper} km", lower, upper), symbol))
    layer.setRenderer(QgsGraduatedSymbolRenderer("km", ranges))


def style_countries(layer):
    """Draws borders and names."""
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple({"style": "no", "outline_color": INK, "outline_width": "0.35"})))

    font = QgsTextFormat()
    font.setFont(QFont("DejaVu Sans"))
    font.setSize(11)
    font.setColor(QColor(INK))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.9)
    halo.setColor(QColor(255, 255, 255, 210))
    font.setBuffer(halo)

    labels = QgsPalLayerSettings()
    labels.fieldName = "name"
    labels.setFormat(font)
    labels.placement = QgsPalLayerSettings.Horizontal
    layer.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    layer.setLabelsEnabled(True)


def draw_layers(layers):
    """Returns the layers as an image, the first on top."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setBackgroundColor(QColor(SEA))
    settings.setOutputSize(SIZE)
    settings.setOutputDpi(110)
    settings.setExtent(EXTENT)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    if job.errors():
        sys.exit("qgis_picture.py: " + "; ".join(error.message for error in job.errors()))
    return job.renderedImage()


def draw_caption(image, cells):
    """Draws the title, the legend and a scale bar into the sea."""
    painter = QPainter(image)
    painter.setRenderHints(QPainter.Antialiasing | QPainter.TextAntialiasing)

    def text(x, y, words, size, colour=INK, weight=QFont.Normal, align=Qt.AlignLeft):
        font = QFont("DejaVu Sans", weight=weight)
        font.setPixelSize(size)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(x - 400 if align == Qt.AlignHCenter else x, y, 800, 2 * size), align, words)

    text(40, 34, "How far to the next border or coast?", 29, weight=QFont.DemiBold)
    text(40, 78, f"{cells:,} hexagons with sides of 6 km", 17, GREY)

    left, top, width = 40, 990, 62
    text(left, top - 32, "kilometres from the centre of the cell", 15, GREY)
    for i, (lower, colour) in enumerate(CLASSES):
        painter.fillRect(QRectF(left + i * width, top, width, 20), QColor(colour))
        text(left + i * width, top + 25, str(lower), 14, align=Qt.AlignHCenter if i else Qt.AlignLeft)

    length = 200000 * SIZE.width() / EXTENT.width()
    painter.setPen(QPen(QColor(INK), 2))
    painter.drawLine(QPointF(left, 1078), QPointF(left + length, 1078))
    for x in (left, left + length):
        painter.drawLine(QPointF(x, 1071), QPointF(x, 1078))
    text(left + length + 12, 1066, "200 km", 14)
    text(600, 1068, "EPSG:3035. Countries: Natural Earth, public domain.", 14, GREY)
    painter.end()


def main():
    """Draws the picture."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()

    cells, countries = open_layer(sys.argv[1], "map_hexagons", "cell_id"), open_layer(sys.argv[1], "countries", "cell_id,name")
    style_cells(cells)
    style_countries(countries)
    image = draw_layers([countries, cells])
    draw_caption(image, cells.featureCount())
    if not image.save(sys.argv[2]):
        sys.exit(f"qgis_picture.py: cannot write {sys.argv[2]}")

    del cells, countries  # before QGIS ends
    application.exitQgis()


if __name__ == "__main__":
    main()
