#!/usr/bin/python3
"""Draws the map of docs/maps.md with QGIS, without a screen.

    QT_QPA_PLATFORM=offscreen python3 docs/map/qgis_picture.py SERVICE PICTURE

SERVICE is a section of the file pg_service.conf. The tables are those of the page.
"""

import sys

from qgis.core import (
    Qgis,
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
from qgis.PyQt.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF

CLASSES = [  # each begins at a number of kilometres
    (0, "#f6f0d8"), (10, "#d5e5c3"), (25, "#9dd0b5"), (50, "#5cb3b0"), (100, "#3189a6"), (150, "#225f8f"), (200, "#1d346c"),
]
LAST = 300  # no cell is further from a border
INK, GREY, SEA = "#26323c", "#5b6873", "#eef2f5"
SIZE = QSize(1000, 1090)
EXTENT = QgsRectangle(3150000, 1440000, 5130000, 3598200)  # of the picture, in metres
MESSAGES = []  # what QGIS writes into its log


def open_layer(service, table, key):
    """Opens a table or a view as a layer, as Layer > Add Layer does."""
    uri = QgsDataSourceUri()
    uri.setConnection(service, "", "", "")
    uri.setDataSource("public", table, "geom", "", key)
    layer = QgsVectorLayer(uri.uri(False), table, "postgres")
    if not layer.isValid():
        sys.exit(f"qgis_picture.py: QGIS cannot open {table}: {'; '.join(MESSAGES)}")
    return layer


def style_cells(layer):
    """Colours the cells by kilometres, with a thin white outline."""
    ranges = []
    for i, (lower, colour) in enumerate(CLASSES):
        upper = CLASSES[i + 1][0] if i + 1 < len(CLASSES) else LAST
        symbol = QgsFillSymbol.createSimple({"color": colour, "outline_color": "#ffffff", "outline_width": "0.1"})
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

    text(36, 32, "How far to the nearest", 27, weight=QFont.DemiBold)
    text(36, 66, "border or coast?", 27, weight=QFont.DemiBold)
    text(36, 110, f"{cells:,} hexagons with sides of 10 km", 15, GREY)

    left, top, width = 36, 946, 58
    text(left, top - 28, "kilometres from the centre of a cell", 14, GREY)
    for i, (lower, colour) in enumerate(CLASSES):
        painter.fillRect(QRectF(left + i * width, top, width, 18), QColor(colour))
        text(left + i * width, top + 23, str(lower), 13, align=Qt.AlignHCenter if i else Qt.AlignLeft)

    right, y = left + 200000 * SIZE.width() / EXTENT.width(), 1022
    painter.setPen(QPen(QColor(INK), 1.5))
    painter.drawPolyline(QPolygonF([QPointF(left, y - 7), QPointF(left, y), QPointF(right, y), QPointF(right, y - 7)]))
    text(right + 10, y - 12, "200 km", 13)
    text(left, 1044, "EPSG:3035. Countries: Natural Earth, public domain.", 13, GREY)
    painter.end()


def palette():
    """Returns the colours of the picture and what lies between two that meet: with a palette, the file is a third as large."""
    fills = [colour for _, colour in CLASSES] + [SEA]
    pairs = [(a, b, 9) for a in fills for b in ("#ffffff", INK)] + [(a, b, 4) for a, b in zip(fills, fills[1:])] + [(GREY, SEA, 9), (INK, "#ffffff", 9)]
    table = []
    for a, b, steps in pairs:
        a, b = QColor(a), QColor(b)
        for i in range(steps + 1):
            mixed = [round(x + (y - x) * i / steps) for x, y in zip(a.getRgb()[:3], b.getRgb()[:3])]
            table.append(QColor(*mixed).rgb())
    return list(dict.fromkeys(table))


def main():
    """Draws the picture."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    application.messageLog().messageReceived[str, str, Qgis.MessageLevel].connect(lambda message, tag, level: MESSAGES.append(message))

    cells, countries = open_layer(sys.argv[1], "map_hexagons", "cell_id"), open_layer(sys.argv[1], "countries", "cell_id,name")
    style_cells(cells)
    style_countries(countries)
    image = draw_layers([countries, cells])
    draw_caption(image, cells.featureCount())
    if not image.convertToFormat(QImage.Format_Indexed8, palette(), Qt.AvoidDither).save(sys.argv[2], "PNG", 0):  # 0 packs most
        sys.exit(f"qgis_picture.py: cannot write {sys.argv[2]}")

    del cells, countries  # before QGIS ends
    application.exitQgis()


if __name__ == "__main__":
    main()
