"""For QGIS's own Python: opens a layer as its users do, and writes what it found to a file as JSON.

``QT_QPA_PLATFORM=offscreen python3 qgis_reads.py ADDRESS LAYER OUT``
"""

import json
import sys
from pathlib import Path

from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer

address, name, target = sys.argv[1:]
application = QgsApplication([], False)
application.initQgis()
source = f"url='{address}' typename='{name}' srsname='OGC:CRS84' pageSize='100' pagingEnabled='true'"
layer = QgsVectorLayer(source, name, "OAPIF")
found = {"valid": layer.isValid(), "error": layer.error().message()}
if layer.isValid():
    found["crs"] = layer.crs().authid()
    found["fields"] = [field.name() for field in layer.fields()]
    found["codes"] = sorted(feature["code"] for feature in layer.getFeatures())
    box = QgsFeatureRequest().setFilterRect(QgsRectangle(118.5, 31.7, 118.505, 31.705))
    found["in_box"] = [feature["code"] for feature in layer.getFeatures(box)]
    found["communities"] = sorted({feature["community"] for feature in layer.getFeatures()})
Path(target).write_text(json.dumps(found), encoding="utf-8")
del layer
application.exitQgis()
