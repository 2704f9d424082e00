"""Distributions that fit the published figures give the published figures, through the CLI."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from sync.collector.store import tables as t
from tests.sync.reports.centre import Centre, distribution

PUBLISHED: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "data" / "published_figures.toml").read_text(encoding="utf-8")
)


def test_the_web_survey_of_2020(centre: Centre) -> None:
    wanted = PUBLISHED["web_survey_2020"]
    split = wanted["counts_that_fit"]
    counts = distribution(
        wanted["n"],
        nps=wanted["nps"],
        mean=wanted["mean"],
        promoters=split["promoters"],
        detractors=split["detractors"],
    )
    assert sum(counts.values()) == 189
    centre.answers(counts, day="2020-05-01").save()
    total = centre.json()["total"]
    for key in ("n", "nps", "detractors_pct", "passives_pct", "promoters_pct", "mean"):
        assert total[key] == wanted[key], key
    assert {k: total[k] for k in split} == split
    assert (total["nps_low"], total["nps_high"]) == (-43.2, -18.2)
    printed = centre.run("--language", "fi").output
    for figure in ("−31", "59,8", "11,6", "28,6", "4,53", "189"):
        assert figure in printed


def test_the_device_comparison_of_2020(centre: Centre) -> None:
    wanted = PUBLISHED["device_comparison_2020"]
    for site in wanted:
        counts = distribution(site["n"], nps=site["nps"], mean=site["mean"])
        centre.answers(counts, device=site["site"], day="2020-05-01")
    centre.save()
    found = centre.json("--by", "device")
    assert [row["name"] for row in found["rows"]] == sorted(s["site"] for s in wanted)
    for row, site in zip(found["rows"], sorted(wanted, key=lambda s: s["site"]), strict=True):
        assert {k: row[k] for k in ("mean", "n", "nps")} == {
            k: site[k] for k in ("mean", "n", "nps")
        }
    # The published total (3,736) is not what its rows add up to; ours always is.
    assert found["total"]["n"] == 3442 == sum(row["n"] for row in found["rows"])
    for part in ("promoters", "passives", "detractors"):
        assert found["total"][part] == sum(row[part] for row in found["rows"])
    heading = next(
        line for line in centre.run("--by", "device").output.splitlines() if "Laite" in line
    )
    assert heading.split()[:4] == ["Laite", "Keskiarvo", "Vastauksia", "NPS"]


def test_the_service_comparison_of_2024(centre: Centre) -> None:
    wanted = PUBLISHED["service_comparison_2024"]
    for number, row in enumerate(wanted):
        for unit in range(row["units"]):
            counts = distribution(100, nps=row["nps"], promoters=row["satisfied_pct"])
            place = f"l{number}-{unit}"
            centre.answers(
                counts, day="2024-05-01", service=f"s{number}", location=place, device=place
            )
    centre.insert(
        t.services,
        *({"id": f"s{i}", "name": {"fi": row["service"]}} for i, row in enumerate(wanted)),
    )
    found = {row["name"]: row for row in centre.save().json("--by", "service")["rows"]}
    for row in wanted:
        one = found[row["service"]]
        assert (one["nps"], one["units"], round(one["promoters_pct"])) == (
            row["nps"],
            row["units"],
            row["satisfied_pct"],
        )
