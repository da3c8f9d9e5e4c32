"""Colours and cut of a figure's clothes (ours)."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Outfit:
    """Clothes of a figure; colours are RGB in [0, 255].

    Args:
        colours: Colour of every part, by its name without the side.
        hair: Colour of the hair.
        trim: Second colour, of the stripes.
        stripes: Number of stripes across trunk and sleeves; 0 for plain cloth.
    """

    colours: dict[str, Colour]
    hair: Colour
    trim: Colour
    stripes: int


def draw_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour of any hue, dull or bright."""
    grey = rng.uniform(30.0, 225.0)
    red, green, blue = np.clip(grey + rng.normal(0.0, 45.0, 3), 5.0, 250.0)
    return float(red), float(green), float(blue)


def draw_outfit(rng: np.random.Generator) -> Outfit:
    """Draw skin, hair, shirt (short or long), trousers (short or long) and shoes."""
    tone = rng.uniform(0.35, 1.0)
    skin = (235.0 * tone, 190.0 * tone, 160.0 * tone)
    hair = rng.uniform(0.1, 0.8) * np.array([220.0, 170.0, 110.0])
    shirt, trousers, shoes, trim = (draw_colour(rng) for _ in range(4))
    long_sleeves, long_trousers = rng.random(2) < 0.55
    return Outfit(
        colours={
            'head': skin,
            'torso': shirt,
            'upper_arm': shirt,
            'lower_arm': shirt if long_sleeves else skin,
            'hand': skin,
            'upper_leg': trousers,
            'lower_leg': trousers if long_trousers else skin,
            'foot': shoes,
        },
        hair=(float(hair[0]), float(hair[1]), float(hair[2])),
        trim=trim,
        stripes=int(rng.choice([0, 0, 2, 3, 4])),
    )
