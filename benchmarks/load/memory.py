"""Peak memory of the app over many analyses: `python -m benchmarks.load.memory [--analyses 100]`."""

from __future__ import annotations

from gradio_client import Client, handle_file

from benchmarks import parser
from benchmarks.load.served import peak_mib, served_app
from benchmarks.steps import PHOTO


def main() -> None:
    args = parser(__doc__, analyses=100).parse_args()
    photos = sorted(PHOTO.parent.glob("*.jpg"))
    print("| analyses | peak MiB |\n| ---: | ---: |")
    with served_app() as (url, pid):
        client = Client(url, verbose=False)
        for count in range(1, args.analyses + 1):
            photo = handle_file(photos[count % len(photos)])
            client.predict(photo, api_name="/analyze")
            client.predict(photo, api_name="/explain")
            if count in (1, 10, args.analyses // 2, args.analyses):
                print(f"| {count} | {peak_mib(pid):.0f} |", flush=True)


if __name__ == "__main__":
    main()
