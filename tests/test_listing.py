from virtus.listing import list_files


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_files_folders_and_globs(tmp_path):
    touch(tmp_path, "b.JPG", "a.png", "deep/c.heic", "notes.txt", "other/d.webp")
    listed = [path.removeprefix(f"{tmp_path}/") for path in list_files([str(tmp_path), f"{tmp_path}/*/*.webp"])]
    assert listed == ["a.png", "b.JPG", "deep/c.heic", "other/d.webp", "other/d.webp"]


def test_a_named_file_is_taken_whatever_its_name(tmp_path):
    touch(tmp_path, "notes.txt", "odd[1].jpg")
    named = [f"{tmp_path}/notes.txt", f"{tmp_path}/odd[1].jpg"]
    assert list(list_files(named)) == named


def test_what_matches_nothing_is_kept_to_be_reported(tmp_path):
    named = [f"{tmp_path}/none.jpg", f"{tmp_path}/*.jpg", str(tmp_path)]
    assert list(list_files(named)) == named
