"""What the policy pack is measured with: it must be judged, and judged without fault, to measure anything."""

from google.protobuf import json_format

from bench.policy_pack import made_up
from components.placement import RULES
from policies.reading.subjects import READERS
from tests.pack_in_process import PackInProcess, Sent


def test_half_of_the_resources_are_read_by_rules_and_none_is_a_fault():
    made = made_up(40)
    assert len({each["urn"] for each in made}) == 40
    assert sum(each["type"] in READERS for each in made) == 20
    sent = [Sent(each["type"], each["name"], json_format.MessageToDict(each["properties"])) for each in made]
    pack = PackInProcess()
    said = [messages for each in sent for messages in pack.analyze(each).values()]
    pack.analyze_stack(sent)
    assert f"{len(RULES)} placement rules on 20 of 40 resources" in pack.lines[0]
    assert "a fault of halfmetal's own" not in repr(said)
