"""A process that runs jobs for a window: started once, held ready, fed by lines of JSON.

Started as ``python -P -m napari_segment.worker``. Each line on standard input is a message::

    {"job": 1, "do": "segment", "image": {...}, "recipe": {...}, "folder": "..."}
    {"cancel": 1}    stop soon and forget the job
    {"stop": 1}      end a training early and keep its best network

and each line on standard output an answer::

    {"ready": true}
    {"job": 1, "steps": [{"done": 0, "total": 2, "message": "Otsu threshold", ...}]}
    {"job": 1, "result": {...}}    or {"job": 1, "error": "..."} or {"job": 1, "cancelled": true}

A line that is no message is answered with ``{"malformed": "..."}``, and the next one is read.

Pixels go through ``.npy`` files in the job's folder, which both sides map into memory. Jobs run
one after another. When standard input ends, so does the process. It never imports Qt.
"""
