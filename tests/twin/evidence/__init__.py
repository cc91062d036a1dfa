"""The twin of the verifier of evidence, one idea a file:

canon.py      canonical JSON, names, digests, signatures
tree.py       Merkle tree and tiles
note.py       signed notes, checkpoints, cosignatures, the trust file
container.py  the archive
entries.py    the entries of both kinds of logs
question.py   requests, policies, rosters; what they cost and allow
tables.py     releases, combining, published tables
regional.py   opened rounds, certificates, the threshold
report.py     verdicts
rules.py      the archive and the logs: R01 to R09, R24
node_rules.py one node's log: R10 to R15, R21, R29
table_rules.py what left and was published: R16 to R20, R22, R26 to R28
"""

import pathlib
import sys

# The other twins stand one level up.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
