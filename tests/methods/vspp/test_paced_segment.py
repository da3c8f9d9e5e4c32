import pytest

from mmkd.errors import UserError
from mmkd.methods.vspp import OurRule, require


@pytest.mark.parametrize(
    ('views', 'segments', 'speeds', 'message'),
    [
        (0, 4, (1, 2), 'num_views is 0'),
        (1, 4, (), 'cannot be drawn from'),
        (1, 4, (1, 2, 2), 'cannot be drawn from'),
        (1, 4, (0, 1), 'cannot be drawn from'),
        (1, 0, (1, 2), '2 speeds and 0 segments'),
        (2, 4, (2,), '1 speeds and 4 segments'),
        (2, 1, (1, 2), '2 speeds and 1 segments'),
    ],
)
def test_impossible_views_are_the_users_error(views, segments, speeds, message):
    with pytest.raises(UserError, match=message):
        OurRule(16, views, speeds, segments, 1)


def test_possible_views_pass():
    OurRule(16, 2, (1, 4), 2, 1)
    require(True, 'nothing')
