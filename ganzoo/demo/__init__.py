"""A page in the browser to play with trained models; `python -m ganzoo.demo`.

`actions` makes the pictures, `page` shows them. What a model offers follows from the modes that it
declares: a new model needs no line here.
"""
