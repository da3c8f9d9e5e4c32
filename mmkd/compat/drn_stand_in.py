"""Takes the place of ``mmaction.models.localizers.drn.drn``, which the wheel lacks.

It is imported under that name by :mod:`mmkd.compat.missing`, never directly.
"""

from typing import NoReturn

from mmaction.registry import MODELS

from mmkd.errors import UserError


@MODELS.register_module()
class DRN:
    """Dense Regression Network, which the installed MMAction2 does not contain.

    Raises:
        UserError: Always.
    """

    def __init__(self, *args: object, **kwargs: object) -> NoReturn:
        raise UserError(
            'model DRN: the installed mmaction2 wheel lacks '
            'mmaction/models/localizers/drn (mmaction2 issue 2714)',
            'Install mmaction2 from a source checkout to use it.',
        )
