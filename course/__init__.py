"""An interactive course on attention: see it, change it, rebuild it.

Rooms: ``attention`` (the mathematics), ``models`` (real models opened up), ``corpora`` (texts), ``figures``
(pictures), ``explorers`` (what a slider moves), ``checks`` (exercises). Importing this package loads none of them.
"""

__version__ = "0.1.0"
