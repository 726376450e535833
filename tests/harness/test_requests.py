"""What is asked of a target: limit, mode and own options in that order; instruction and messages."""

import pytest

from prefillroute.config.compose import read_fact
from prefillroute.config.facts import ProviderConfig, TargetConfig
from prefillroute.config.search import conf_dir
from prefillroute.errors import UserError
from prefillroute.harness.requests import target_request

THINKING = sorted(path.stem for path in (conf_dir() / "provider").glob("*.yaml"))


def test_later_options_win() -> None:
    provider = ProviderConfig(name="p", api="openai", modes={"thinking": {"temperature": 0.6, "top_p": 0.9}})
    target = TargetConfig(name="a", generate={"top_p": 0.5, "max_tokens": 10})
    assert target_request(target, provider, max_tokens=128_000).options == {
        "max_tokens": 10,
        "temperature": 0.6,
        "top_p": 0.5,
    }


def test_paper_terms_are_the_defaults() -> None:
    """Highest effort and 128,000 tokens (section 4.1)."""
    openai = target_request(TargetConfig(name="o"), read_fact("provider", "openai", ProviderConfig), 128_000)
    assert openai.options == {"max_tokens": 128_000, "reasoning_effort": "high"}
    assert openai.model == "openai/o"
    qwen = target_request(TargetConfig(name="q"), read_fact("provider", "qwen_vllm", ProviderConfig), 128_000)
    assert qwen.options["extra_body"]["chat_template_kwargs"] == {"enable_thinking": True}
    assert qwen.model == "openai-api/qwen_vllm/q"


@pytest.mark.parametrize("name", THINKING)
def test_every_provider_thinks_and_answers_directly(name: str) -> None:
    provider = read_fact("provider", name, ProviderConfig)
    assert provider.name == name
    assert set(provider.modes) >= {"thinking", "direct"}


def test_instruction_gives_way_to_a_system_message() -> None:
    provider = ProviderConfig(name="p", api="openai", modes={"thinking": {}})
    plain, own = (
        TargetConfig(name="a"),
        TargetConfig(name="b", messages=[{"role": "system", "content": "Mine."}]),
    )
    shots = TargetConfig(
        name="c", messages=[{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]
    )
    said = [
        target_request(target, provider, 10, instruction="Theirs.").messages for target in (plain, own, shots)
    ]
    assert said == [
        (("system", "Theirs."),),
        (("system", "Mine."),),
        (("system", "Theirs."), ("user", "1+1?"), ("assistant", "2")),
    ]
    assert target_request(plain, provider, 10).messages == ()


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([{"role": "teacher", "content": "x"}], "a role among system, user, assistant, found 'teacher'"),
        ([{"content": "x"}], "expected role and content in each, found content"),
    ],
)
def test_message_that_is_none(messages: list[dict[str, str]], named: str) -> None:
    provider = ProviderConfig(name="p", api="openai", modes={"thinking": {}})
    with pytest.raises(UserError, match=named):
        target_request(TargetConfig(name="a", messages=messages), provider, 10)


def test_costs() -> None:
    provider = ProviderConfig(name="p", api="openai", modes={"thinking": {}})
    priced = target_request(TargetConfig(name="a", price_in=2.0, price_out=8.0), provider, 10)
    assert priced.cost_usd(1000, 500) == pytest.approx(0.006)
    assert target_request(TargetConfig(name="a"), provider, 10).cost_usd(1000, 500) is None


def test_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    request = target_request(TargetConfig(name="a"), read_fact("provider", "deepseek", ProviderConfig), 10)
    with pytest.raises(
        UserError, match=r"target 'a': expected the provider's key in DEEPSEEK_API_KEY, found"
    ):
        request.open()
