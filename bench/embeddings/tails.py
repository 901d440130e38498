"""The calculated tables of docs/statistics/embeddings.md. Run: pip install numpy scipy && python tails.py

1. Tails of 11·χ²₁ + χ²₁₅ by matched cumulants, as multiples of the exact one (Ruben's series).
2. True over nominal rate of a two-sided normal test of a mean of 500 values that are high with probability p, limited at
   so many standard deviations; and of gamma values without a limit.
"""

import numpy as np
from scipy import stats


def exact(x, terms):
    least = min(weight for weight, _ in terms)
    ratios = [(least / weight, df) for weight, df in terms]
    df_total = sum(df for _, df in ratios)
    mix = [np.prod([ratio ** (df / 2) for ratio, df in ratios])]
    g = [0.0]
    total = mix[0] * stats.chi2.sf(x / least, df_total)
    for k in range(1, 4000):
        g.append(sum(df * (1 - ratio) ** k for ratio, df in ratios))
        mix.append(sum(g[k - j] * mix[j] for j in range(k)) / (2 * k))
        term = mix[k] * stats.chi2.sf(x / least, df_total + 2 * k)
        total += term
        if sum(mix) > 0.5 and term < 1e-13 * total:
            break
    return total


terms = [(11, 1), (1, 15)]
c1, c2, c3 = (sum(weight**j * df for weight, df in terms) for j in (1, 2, 3))
for x in (100, 150, 250, 350):
    true = exact(x, terms)
    three = stats.chi2.sf((x - c1) * np.sqrt(c2**3 / c3**2 / c2) + c2**3 / c3**2, c2**3 / c3**2)
    two = stats.chi2.sf(x * c1 / c2, c1**2 / c2)
    print(f"exact {true:.3g}: three cumulants {three / true:.3g}, two {two / true:.3g}")

size = 500
for nominal in (1e-3, 1e-5, 4e-7):
    z = stats.norm.isf(nominal / 2)
    for p in (0.003, 0.01, 0.02, 0.03, 0.05, 0.0625, 0.1, 0.2):
        height = 1 / np.sqrt(p * (1 - p))
        ratios = []
        for limit in (4, 6, np.inf):
            high, low = min(height * (1 - p), limit), -height * p
            count = np.arange(size + 1)
            score = ((count * high + (size - count) * low) / size - p * high - (1 - p) * low) * np.sqrt(size)
            ratios.append(stats.binom.pmf(count, size, p)[np.abs(score) >= z].sum() / nominal)
        print(f"nominal {nominal}, p = {p}: limit 4 {ratios[0]:.2g}, limit 6 {ratios[1]:.2g}, none {ratios[2]:.2g}")
    for shape in (4, 1):
        edge = z * np.sqrt(shape / size)
        tail = stats.gamma.sf((shape + edge) * size, shape * size) + stats.gamma.cdf((shape - edge) * size, shape * size)
        print(f"nominal {nominal}, gamma of skewness {2 / np.sqrt(shape):.0f}: {tail / nominal:.2g}")
