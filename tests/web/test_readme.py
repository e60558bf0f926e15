"""What the README says works as it stands there."""
import os
import re
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def shell_examples():
    section = (TOP / "README.md").read_text().split("## Use it from the shell", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


def test_the_curl_examples(server, tmp_path):
    examples = shell_examples()
    assert len(examples) == 1 and examples[0].count("curl ") >= 9
    shutil.copy(TOP / "README.md", tmp_path)
    run = subprocess.run(["bash", "-euc", examples[0]], cwd=tmp_path, env={**os.environ, "COFFER": server.url}, capture_output=True, text=True,
                         timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "copy.md").read_bytes() == (TOP / "README.md").read_bytes()


def test_the_files_it_names_exist():
    text = (TOP / "README.md").read_text()
    for name in set(re.findall(r"\]\(([\w./-]+)\)", text)) | set(re.findall(r"`((?:nginx|fcgi-app|templates|sql|tests|docs)/[\w./-]*)`", text)):
        assert (TOP / name).exists(), name
