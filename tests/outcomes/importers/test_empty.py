"""What every importer has in common."""

import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.importers import llmrouterbench, log, mmlu_pro, routellm


@pytest.mark.parametrize("reader", [mmlu_pro, llmrouterbench, routellm, log])
def test_empty_folder(tmp_path, reader):
    with pytest.raises(UserError, match=r"no (results|responses|log)"):
        reader.find(tmp_path)
