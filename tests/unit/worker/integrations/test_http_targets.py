"""Where a request may go, as far as URLs and addresses tell."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from yarl import URL

from hatchet_worker import IntegrationError
from hatchet_worker.integrations.http.addresses import is_permitted, read_networks
from hatchet_worker.integrations.http.targets import (
    ForbiddenTarget,
    Policy,
    read_hosts,
    read_ports,
    read_url,
)

PUBLIC = ["1.1.1.1", "93.184.216.34", "198.51.99.1", "2606:4700::1111", "2a00:1450:4001::1"]
NOT_PUBLIC = [
    *["127.0.0.1", "127.255.255.254", "0.1.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"],
    *["169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1"],
    *["198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"],
    *["255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:1.1.1.1"],
    *["::ffff:0:1.1.1.1", "64:ff9b::7f00:1", "64:ff9b::1.1.1.1", "64:ff9b:1::1", "100::1"],
    *["2001::1", "2001:db8::1", "2002:7f00:1::", "2002:101:101::", "3fff::1", "5f00::1"],
    *["fc00::1", "fd00:ec2::254", "fe80::1", "fe80::a9fe:a9fe", "fec0::1", "ff02::1"],
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert is_permitted(ip_address(address), ())


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_all_others_are_not(address: str) -> None:
    """Unless their network is."""
    assert not is_permitted(ip_address(address), read_networks(["10.9.0.0/16", "fd99::/16"]))
    assert is_permitted(ip_address(address), read_networks(["0.0.0.0/0", "::/0"]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://2130706433/", "neither a name nor"),
        ("http://0177.0.0.1/", "neither a name nor"),
        ("http://0x7f000001/", "neither a name nor"),
        ("http://0x7f.0.0.1/", "neither a name nor"),
        ("http://127.1/", "neither a name nor"),
        ("http://127.0.0.1./", "neither a name nor"),
        ("http://0x/", "neither a name nor"),
        ("http://a.1/", "neither a name nor"),
        ("http://api.example.com./", "neither a name nor"),
        ("http://api.example.com@169.254.169.254/", "credentials"),
        ("http://user:password@api.example.com/", "credentials"),
        ("http://@api.example.com/", "credentials"),
        ("http://api.example.com\\@169.254.169.254/", "backslashes"),
        ("http://api.example.com /", "spaces"),
        ("http://api.example.com/\r\nHost: x", "control"),
        ("http://a%2eb/", "neither a name nor|not a URL"),
        ("http:///path", "not a URL|no host"),
        ("http:api.example.com", "no host"),
        ("//api.example.com/", "scheme"),
        ("/path", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://api.example.com/", "scheme"),
        ("gopher://api.example.com/", "scheme"),
        ("http://api.example.com:99999/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("http://[not-an-address]/", "not a URL|neither a name nor"),
    ],
)
def test_urls_that_can_be_misread_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://api.example.com",
        "https://API.example.com:8443/a?b=c#d",
        "http://1.1.1.1/",
        "http://[2606:4700::1111]:80/",
        "http://xn--exmple-cua.com/",
        "http://exämple.com/",
        "http://my_service/",
    ],
)
def test_other_urls_are_read(text: str) -> None:
    assert read_url(text).host


def policy(*hosts: str, networks: tuple[str, ...] = (), ports: tuple[str, ...] = ("80",)) -> Policy:
    return Policy(read_hosts(hosts), read_networks(networks), read_ports(ports))


@pytest.mark.parametrize(
    ("hosts", "url", "message"),
    [
        ([], "http://api.example.com/", "set HATCHET_HTTP_HOSTS"),
        (["api.example.com"], "http://example.com/", "not among HATCHET_HTTP_HOSTS"),
        (["api.example.com"], "http://api.example.com.evil.org/", "not among"),
        (["*.example.com"], "http://example.com/", "not among"),
        (["*.example.com"], "http://evilexample.com/", "not among"),
        (["*"], "http://api.example.com:8080/", "port 8080"),
        (["*"], "https://api.example.com/", "port 443"),
        (["*"], "http://169.254.169.254/latest/meta-data/", "is not public"),
        (["169.254.169.254"], "http://169.254.169.254/", "HATCHET_HTTP_NETWORKS"),
        (["*"], "http://[::ffff:169.254.169.254]/", "is not public"),
        (["*"], "http://[fd00:ec2::254]/", "is not public"),
        (["*"], "http://[fe80::1%25eth0]/", "is not public"),
    ],
)
def test_what_is_not_allowed_is_told(hosts: list[str], url: str, message: str) -> None:
    with pytest.raises(ForbiddenTarget, match=message):
        policy(*hosts).check(read_url(url))


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        (["API.example.com"], "http://api.EXAMPLE.com/"),
        (["*.example.com"], "http://a.b.example.com/"),
        (["*"], "http://1.1.1.1/"),
        (["[2606:4700:0::1111]"], "http://[2606:4700::1111]/"),
        (["xn--exmple-cua.com"], "http://exämple.com/"),
    ],
)
def test_what_is_allowed_is_not_held_up(hosts: list[str], url: str) -> None:
    policy(*hosts).check(URL(url))


@pytest.mark.parametrize("host", ["", "a b", "http://a", "a/b", "a.*", "**.a", "a:80", "user@a"])
def test_hosts_that_are_none_are_told(host: str) -> None:
    with pytest.raises(IntegrationError, match="HATCHET_HTTP_HOSTS"):
        read_hosts([host])


@pytest.mark.parametrize("port", ["", "0", "65536", "http", "²"])
def test_ports_that_are_none_are_told(port: str) -> None:
    with pytest.raises(IntegrationError, match="HATCHET_HTTP_PORTS"):
        read_ports([port])


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "example.com", "10/8"])
def test_networks_that_are_none_are_told(network: str) -> None:
    with pytest.raises(IntegrationError, match="HATCHET_HTTP_NETWORKS"):
        read_networks([network])
