"""Samples whose random draws depend on their position in the run alone."""

from typing import Any

from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from mmkd.seeding import drawing_from

#: Field of a data sample: the seed that it was drawn with. Whatever is drawn for the
#: sample later, on the model's device, is to start from it.
SAMPLE_SEED = 'sample_seed'


class Draw(int):
    """An index into a data set, and the seed that its sample is to be drawn with."""

    seed: int

    def __new__(cls, index: int, seed: int) -> 'Draw':
        """Make one of an index and a seed."""
        draw = super().__new__(cls, index)
        draw.seed = seed
        return draw

    def __reduce__(self) -> tuple[Any, ...]:
        return Draw, (int(self), self.seed)


class SeededDataset(Dataset[Any]):
    """Another data set, each of whose samples is drawn with the seed it is asked with.

    In everything else it is the other data set: attributes are looked up there.

    Args:
        dataset: The other one, or its config.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        if not isinstance(index, Draw):
            return self.dataset[index]
        with drawing_from(index.seed):
            sample = self.dataset[int(index)]
        packed = sample.get('data_samples') if isinstance(sample, dict) else None
        if packed is not None and hasattr(packed, 'set_metainfo'):
            packed.set_metainfo({SAMPLE_SEED: index.seed})
        return sample

    def __getattr__(self, name: str) -> Any:
        if name == 'dataset':  # while it is copied or unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)
