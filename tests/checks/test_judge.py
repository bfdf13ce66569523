"""How answers are met: each kind of bad answer with its own sentence, right ones without a word too many."""

from dataclasses import replace

import pytest
import torch

from course import checks
from course.checks import Case, CheckFailed, Exercise, Feedback, Hint, check, judge
from course.checks import exercise as exercise_module
from course.checks.exercise import Outcome, difference, judge_outcomes, run_case
from course.checks.show import show, side_by_side
from course.study import progress


def halves(numbers):
    return numbers / 2


HALVES = Exercise(
    id="99.1", title="halves", points=2, minutes=1, difficulty=1, importance=1,
    answer="function", name="halves", returns="a tensor of the same shape",
    reference=halves,
    cases=lambda seed: [
        Case((torch.tensor([1.0, 2.0, 4.0]),)),
        Case((torch.randn(2, 3, generator=torch.Generator().manual_seed(seed)),), note="a matrix"),
    ],
    hints=(
        Hint("doubled", lambda numbers: numbers * 2, "Is half of a number larger than it?"),
        Hint("negative", lambda numbers: -numbers / 2, "Which sign does half of 4 have?"),
    ),
)  # fmt: skip

ANSWER = Exercise(
    id="99.2", title="answer", points=1, minutes=1, difficulty=1, importance=1,
    answer="value", name="n_legs", returns="a whole number", reference=lambda: 4,
    hints=(Hint("bird", 2, "Is a cat a bird?"),),
)  # fmt: skip

CHOICE = Exercise(
    id="99.3", title="choice", points=1, minutes=1, difficulty=1, importance=1,
    answer="choice", name="letter", returns="one letter", reference=lambda: "b",
    hints=(Hint("first", "a", "Read on after the first."),),
)  # fmt: skip


@pytest.fixture(autouse=True)
def private_home(tmp_path, monkeypatch):
    monkeypatch.setenv(progress.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def raises(numbers):
    return numbers / [0]


def prints(numbers):
    print("numbers are", numbers)
    print("half of them", numbers / 2)
    return numbers / 2


def leaves(numbers):
    exit()


def stub(numbers):
    raise NotImplementedError("your turn")


def torch_refuses(numbers):
    return torch.softmax(numbers > 0, dim=-1)


# ------------------------------------------------------------------------------------------------------ bad answers


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        pytest.param(
            torch.zeros(3),
            "The check calls your function itself, so give it the function: check('99.1', halves), without brackets "
            "after the name. It was given a tensor of shape (3,).",
            id="the result instead of the function",
        ),
        pytest.param(3, "It was given a whole number.", id="a number"),
        pytest.param("halves", "It was given a text.", id="a text"),
        pytest.param(None, "halves is not written yet.", id="None"),
        pytest.param(..., "halves is not written yet.", id="dots"),
        pytest.param(stub, "halves is not written yet.", id="the stub"),
        pytest.param(raises, "It raised TypeError: unsupported operand", id="raises"),
        pytest.param(lambda: 0, "It raised TypeError: ", id="no parameter"),
        pytest.param(leaves, "It raised SystemExit", id="exit()"),
        pytest.param(torch_refuses, "It raised NotImplementedError: ", id="torch refuses"),
        pytest.param(
            lambda numbers: None, "It returned nothing (None). Is there a return at the end?", id="None returned"
        ),
        pytest.param(
            lambda numbers: (numbers / 2).tolist(),
            "It should be a tensor, but it is a list. torch.tensor(...) makes one of it.",
            id="a list",
        ),
        pytest.param(
            lambda numbers: (numbers / 2).numpy(),
            "It should be a tensor, but it is a numpy ndarray. torch.from_numpy(...) makes one of it.",
            id="an array",
        ),
        pytest.param(lambda numbers: "halves", "It should be a tensor, but it is a text.", id="a text returned"),
        pytest.param(lambda numbers: halves, "It should be a tensor, but it is a function.", id="a function returned"),
        pytest.param(
            lambda numbers: (numbers / 2).long(),
            "It should hold numbers with a decimal point, but it holds whole numbers (torch.int64).",
            id="whole numbers",
        ),
        pytest.param(
            lambda numbers: numbers > 2,
            "It should hold numbers with a decimal point, but it holds True and False (torch.bool).",
            id="booleans",
        ),
        pytest.param(
            lambda numbers: (numbers / 2).to(torch.complex64),
            "It should hold numbers with a decimal point, but it holds complex numbers (torch.complex64).",
            id="complex",
        ),
        pytest.param(
            lambda numbers: numbers * torch.nan,
            "3 of 3 values are NaN, which means not a number (0/0, for instance).",
            id="NaN",
        ),
        pytest.param(
            lambda numbers: numbers[None] / 2, "The shape should be (3,), but it is (1, 3).", id="wrong shape"
        ),
        pytest.param(lambda numbers: numbers.sum(), "The shape should be (3,), but it is ().", id="a single number"),
        pytest.param(
            lambda numbers: numbers - 1,
            "2 of 3 values differ; the first at [0] should be 0.5, but it is 0.",
            id="wrong values",
        ),
    ],
)
def test_a_bad_answer_is_met_with_its_sentence(answer, sentence):
    verdict = judge(HALVES, answer)
    assert not verdict.passed and verdict.points == 0
    assert sentence in verdict.problem
    assert "Traceback" not in str(Feedback(verdict))


def test_a_class_or_an_object_is_said_by_its_name():
    class Halver:
        pass

    assert "It raised TypeError" in judge(HALVES, Halver).problem
    assert judge(HALVES, lambda numbers: Halver()).problem == "It should be a tensor, but it is a test_judge Halver."


def test_a_constant_does_not_pass():
    verdict = judge(HALVES, lambda numbers: torch.tensor([0.5, 1.0, 2.0]))
    assert not verdict.passed
    assert verdict.problem == "The shape should be (2, 3), but it is (3,)."
    assert verdict.note == "a matrix"


def test_endless_recursion_is_a_sentence():
    def halves(numbers):
        return halves(numbers)

    assert judge(HALVES, halves).problem.startswith("It raised RecursionError: maximum recursion depth exceeded")


def test_an_interrupt_reaches_the_learner():
    def halves(numbers):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(HALVES, halves)


def test_inputs_are_not_changed_by_an_answer_that_works_in_place():
    def halves(numbers):
        return numbers.div_(2)

    case = HALVES.cases(0)[0]
    run_case(halves, case)
    assert case.arguments[0].tolist() == [1, 2, 4]
    verdict = judge(HALVES, lambda numbers: numbers.mul_(2))
    assert verdict.tried == "halves([1, 2, 4])"


def test_printing_costs_nothing_and_is_put_aside(capfd):
    verdict = judge(HALVES, prints)
    assert verdict.passed and verdict.points == 2
    assert verdict.printed.splitlines()[0] == "numbers are tensor([1., 2., 4.])"
    assert str(Feedback(verdict)) == "99.1 halves: passed, 2 of 2 points"
    assert "Your code printed" in Feedback(verdict)._repr_html_()
    assert capfd.readouterr() == ("", "")


def test_a_warning_costs_nothing():
    def halves(numbers):
        import warnings

        warnings.warn("careful", stacklevel=1)
        return numbers / 2

    with pytest.warns(UserWarning):
        assert judge(HALVES, halves).passed


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_another_precision_passes_within_the_tolerance(dtype):
    answer = lambda numbers: (numbers.to(torch.float64) / 2).to(dtype)  # noqa: E731
    assert judge(HALVES, answer).passed == (dtype == torch.float64)


def test_an_answer_that_carries_gradients_passes():
    assert judge(HALVES, lambda numbers: numbers.requires_grad_() / 2).passed


# ------------------------------------------------------------------------------------------------------------ hints


def test_a_typical_mistake_is_recognised_by_what_it_gives():
    verdict = judge(HALVES, lambda numbers: numbers + numbers)
    assert (verdict.hint_name, verdict.hint) == ("doubled", "Is half of a number larger than it?")


def test_a_mistake_in_some_cases_is_recognised_by_the_failed_ones():
    verdict = judge(HALVES, lambda numbers: numbers / 2 if numbers.ndim == 1 else -numbers / 2)
    assert verdict.hint_name == "negative"


def test_an_unknown_mistake_gets_no_hint():
    assert judge(HALVES, lambda numbers: numbers + 100).hint == ""


def test_judging_needs_only_what_came_back():
    cases = HALVES.cases(7)
    outcomes = [Outcome(case.arguments[0] / 2) for case in cases]
    assert judge_outcomes(HALVES, cases, outcomes).passed
    with pytest.raises(ValueError):
        judge_outcomes(HALVES, cases, outcomes[:1])


# ----------------------------------------------------------------------------------------------- values and choices


@pytest.mark.parametrize("answer", [4, 4.0, torch.tensor(4)])
def test_a_right_value_passes(answer):
    assert judge(ANSWER, answer).passed


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "n_legs has no answer yet."),
        (..., "n_legs has no answer yet."),
        (5, "n_legs = 5 is not right."),
        (True, "It should be a whole number, but it is True or False."),
        ("4", "It should be a whole number, but it is a text."),
        ([4], "It should be a whole number, but it is a list."),
        (float("nan"), "The value is NaN, which means not a number (0/0, for instance)."),
        (lambda: 4, "n_legs should be a whole number, not a function."),
    ],
)
def test_a_wrong_value_is_met_with_its_sentence(answer, sentence):
    verdict = judge(ANSWER, answer)
    assert not verdict.passed and verdict.problem == sentence


def test_a_typical_wrong_value_is_recognised():
    assert judge(ANSWER, 2).hint == "Is a cat a bird?"
    assert judge(CHOICE, " A ").hint == "Read on after the first."


def test_a_choice_passes_in_either_case():
    assert judge(CHOICE, " B ").passed
    assert judge(CHOICE, 2).problem == "It should be a text, but it is a whole number."


@pytest.mark.parametrize(
    ("expected", "got", "sentence"),
    [
        ([1, 2], [1, 2], None),
        ([1, 2], (1, 2), None),
        ([1, 2], [1, 3], "At entry 1: the value is not right."),
        ([1, 2], [1, "2"], "At entry 1: it should be a whole number, but it is a text."),
        ([1, 2], [1], "It should have 2 entries, but it has 1."),
        ([1, 2], "12", "It should be a list, but it is a text."),
        ((1, 2, 3), 5, "It should be 3 results, with commas between them after return, but it is a whole number."),
        ({"a": 1}, {"b": 1}, "Its keys should be ['a'], but they are ['b']."),
        ({"a": 1}, {"a": 2}, "At 'a': the value is not right."),
        (float("inf"), float("inf"), None),
        (True, torch.tensor(True), None),
        (True, 1, "It should be True or False, but it is a whole number."),
        (0.5, 0.500001, None),
        (0.5, 0.6, "The value is not right."),
    ],
)
def test_plain_data_is_compared_type_first(expected, got, sentence):
    assert difference(expected, got, 1e-5) == sentence


def test_two_numbers_that_look_alike_are_shown_with_all_their_digits():
    sentence = difference(torch.tensor([1.39301, 2.0]), torch.tensor([1.39304, 2.0]), 1e-5)
    assert sentence == "1 of 2 values differ; the first at [0] should be 1.39301, but it is 1.39304."


def test_infinities_agree_only_with_their_sign():
    row = torch.tensor([0.0, -torch.inf])
    assert difference(row, row.clone(), 1e-5) is None
    assert difference(row, -row, 1e-5) == "1 of 2 values differ; the first at [1] should be -∞, but it is ∞."


# --------------------------------------------------------------------------------------------------- what is shown


def test_a_failed_check_says_what_was_tried_expected_and_got():
    lines = str(Feedback(judge(HALVES, lambda numbers: numbers * 2))).splitlines()
    assert lines == [
        "99.1 halves: not yet, 0 of 2 points",
        "  tried:    halves([1, 2, 4])",
        "  problem:  3 of 3 values differ; the first at [0] should be 0.5, but it is 2.",
        "  expected: [0.5, 1, 2]",
        "  got:      [2, 4, 8]",
        "  hint:     Is half of a number larger than it?",
    ]


def test_html_escapes_whatever_an_answer_brings():
    evil = "<script>alert(1)</script>"

    def halves(numbers):
        raise ValueError(evil)

    shown = Feedback(judge(HALVES, halves))._repr_html_()
    assert evil not in shown and "&lt;script&gt;" in shown
    assert evil not in side_by_side("a", evil, 0)
    assert evil not in Feedback(judge(ANSWER, evil))._repr_html_()


def test_two_matrices_are_shown_side_by_side_with_the_wrong_cells_marked():
    html = side_by_side(torch.eye(2), torch.ones(2, 2), 1e-5)
    assert html.count("<table") == 2 and html.count("≠") == 2
    assert "tensor (40, 50)" in side_by_side(torch.zeros(40, 50), torch.zeros(40, 50), 1e-5)


def test_a_long_value_is_shortened():
    assert len(show("x" * 1000)) == 160
    assert show([torch.tensor([True, False]), 0.25]) == "[[True, False], 0.25]"


# ----------------------------------------------------------------------------------------------------------- check


def test_check_records_progress():
    check("04.2", lambda n: torch.ones(n, n))
    check("04.2", lambda n: torch.ones(n, n).tril().bool())
    best = progress.best()["04.2"]
    assert (best.points, best.max_points, best.attempts) == (2, 2, 2)


def test_check_tells_when_progress_cannot_be_saved(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("here is a file, no folder")
    monkeypatch.setenv(progress.HOME_VARIABLE, str(tmp_path / "file"))
    feedback = check("04.2", lambda n: torch.ones(n, n).tril().bool())
    assert feedback.verdict.passed and str(feedback) == "04.2 causal mask: passed, 2 of 2 points"
    assert "Your progress could not be saved" in feedback._repr_html_()


def test_a_failed_check_raises_where_nbgrader_collects_marks(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailed, match="04.2 causal mask: not yet, 0 of 2 points"):
        check("04.2", lambda n: torch.ones(n, n))
    assert check("04.2", lambda n: torch.ones(n, n).tril().bool()).verdict.passed


@pytest.mark.parametrize(("asked", "near"), [("04.22", "04.2"), ("4.2", "04.2"), (4.2, "04.2"), ("04,2", "04.2")])
def test_an_unknown_exercise_offers_the_nearest(asked, near):
    with pytest.raises(ValueError, match=f"There is no exercise {asked!r}. Did you mean '{near}'"):
        check(asked, None)


def test_an_exercise_like_no_other_lists_what_there_is():
    with pytest.raises(ValueError, match="There is no exercise 'softmax'. There are 0.*04.1, 04.2"):
        checks.find("softmax")


def test_an_answer_that_never_ends_is_met_with_a_sentence(monkeypatch):
    monkeypatch.setattr(exercise_module, "LIMIT_SECONDS", 1)

    def forever(x):
        while True:
            try:
                x = x + 0
            except Exception:
                pass

    verdict = judge(HALVES, forever)
    assert not verdict.passed
    assert verdict.problem.startswith("It raised TimeoutError: still running after 1 seconds. Does every loop move on")


def test_two_mistakes_at_once_still_get_the_hint_for_what_is_shown():
    double = Hint("doubles", lambda x: 2 * x, "Half, not twice.")
    exercise = replace(HALVES, hints=(double,), cases=lambda seed: [Case((torch.ones(2),)), Case((-torch.ones(3),))])
    verdict = judge(exercise, lambda x: 2 * x.abs())  # doubles, and loses the sign
    assert verdict.hint == "Half, not twice."
