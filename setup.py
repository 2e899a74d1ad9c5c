"""What pyproject.toml cannot say: the folder `assets` goes into the wheel as a part of the package."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["virtus", "virtus.*"]), "virtus.assets"],
    package_dir={"virtus.assets": "assets"},
    package_data={"virtus.assets": ["**/*"]},
)
