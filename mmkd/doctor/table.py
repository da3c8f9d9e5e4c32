"""The report as plain text: the package that draws tables may be what is broken."""

from collections.abc import Sequence

from mmkd.doctor.finding import Finding, Status


def as_text(findings: Sequence[Finding]) -> str:
    """Return one line for each finding, and its remedy below it.

    Args:
        findings: What was found.
    """
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f'{finding.status:<5} {finding.name:<{width}}  {finding.text}')
        if finding.remedy:
            lines.append(f'{"":<5} {"":<{width}}  -> {finding.remedy}')
    count = dict.fromkeys(Status, 0)
    for finding in findings:
        count[finding.status] += 1
    lines.append('')
    lines.append(', '.join(f'{n} {status}' for status, n in count.items()))
    return '\n'.join(lines)
