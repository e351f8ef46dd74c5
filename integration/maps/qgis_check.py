#!/usr/bin/python3
"""Opens tables with QGIS, without a screen, and writes what QGIS knows of each, as JSON.

    QT_QPA_PLATFORM=offscreen python3 integration/maps/qgis_check.py SERVICE TABLE[:KEY] ...

KEY is the key column, which a view needs. The answer is an object for each argument.
"""

import json
import sys

from qgis.core import QgsApplication, QgsDataSourceUri, QgsProviderRegistry, QgsVectorLayer, QgsWkbTypes


def layer_of(service, table, key, estimated):
    """Opens a table as a layer, as Layer > Add Layer > Add PostGIS Layers does."""
    uri = QgsDataSourceUri()
    uri.setConnection(service, "", "", "")
    uri.setDataSource("public", table, "geom", "", key)
    uri.setUseEstimatedMetadata(estimated)
    return QgsVectorLayer(uri.uri(False), table, "postgres")


def extent_of(layer):
    """Returns the extent as a list."""
    box = layer.extent()
    return [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]


def listed(service):
    """Returns the tables that the dialogue lists, with their keys."""
    metadata = QgsProviderRegistry.instance().providerMetadata("postgres")
    connection = metadata.createConnection(f"service='{service}'", {})
    return {table.tableName(): list(table.primaryKeyColumns()) for table in connection.tables("public")}


def facts(service, table, key, tables):
    """Returns what QGIS knows of a table."""
    layer = layer_of(service, table, key, False)
    if not layer.isValid():
        return {"valid": False, "error": layer.dataProvider().error().message()}

    names = layer.fields().names()
    estimated = layer_of(service, table, key, True)
    ids = sorted(feature["cell_id"] for feature in layer.getFeatures())
    return {
        "valid": True,
        "key": [names[i] for i in layer.primaryKeyAttributes()],
        "columns": names,
        "count": layer.featureCount(),
        "ids": ids,
        "extent": extent_of(layer),
        "crs": layer.crs().authid(),
        "type": QgsWkbTypes.displayString(layer.wkbType()),
        "estimatedValid": estimated.isValid(),
        "estimatedCount": estimated.featureCount(),
        "estimatedExtent": extent_of(estimated),
        "listed": table in tables,
        "listedKey": tables.get(table, []),
    }


def main():
    """Opens the tables of the command line."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()

    service, arguments = sys.argv[1], sys.argv[2:]
    tables = listed(service)
    print(json.dumps({name: facts(service, *name.partition(":")[::2], tables) for name in arguments}))
    application.exitQgis()


if __name__ == "__main__":
    main()
