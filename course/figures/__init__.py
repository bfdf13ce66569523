"""Arrays and labels in, a picture out: plotly figures that read well on light and on dark paper.

Colours mean the same in every lesson, as in the explorers: queries blue, keys vermillion, values green; weights run
from the paper's colour to purple, scores from gold (low) over paper to purple (high), and what is masked is grey.
Every picture carries a text alternative with its numbers, which is also what ``pytest --nbval`` compares.
"""

from course.figures.bar_charts import bars, row_bars
from course.figures.line_charts import curves
from course.figures.matrices import attention_heatmap, panels
from course.figures.picture import KEY, MASKED, QUERY, VALUE, WEIGHT, WIDEST, Picture
from course.figures.scatter import points
from course.figures.strips import token_strip

__all__ = [
    "KEY", "MASKED", "QUERY", "VALUE", "WEIGHT", "WIDEST", "Picture", "attention_heatmap", "bars", "curves", "panels",
    "points", "row_bars", "token_strip",
]  # fmt: skip
