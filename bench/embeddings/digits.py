"""Makes the images that bench/embeddings/measure.ts reads: scikit-learn's digits, 1,797 of 8 by 8 pixels.

They come with the package and are those of the UCI repository's test set (Alpaydin and Kaynak 1998).
Run: pip install scikit-learn && python bench/embeddings/digits.py > digits.json
"""

import json
import sys

import sklearn
from sklearn.datasets import load_digits

digits = load_digits()
json.dump({"images": digits.data.astype(int).tolist(), "labels": digits.target.tolist()}, sys.stdout)
print(f"scikit-learn {sklearn.__version__}, {len(digits.target)} images", file=sys.stderr)
