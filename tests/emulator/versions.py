"""Switches GradualDeployment of infra/template.yaml on and off on the emulator, and checks which version is invoked.

    versions.py --endpoint URL

Nothing runs, so the functions' programs are empty files. Without CodeDeploy, which the emulator does not know, an alias moves at
once from version to version. All else is as the template says: what is invoked, with whose permission, and what publishes a
version. Fails with the first thing that is not as expected.
"""

import argparse
import json
import tempfile
from pathlib import Path

import deploy

STACK = "pawl-versions"
ON = "GradualDeployment=Linear10PercentEvery1Minute"
MACHINES = "StateMachineArns=arn:aws:states:us-east-1:000000000000:stateMachine:review"
FUNCTIONS = ["webhook-ingress", "trigger-evaluator", "step-executor", "sweeper", "api"]


class Installation:
    """A stack that is created, and then updated with other parameters."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.is_there = False
        self.binaries = tempfile.TemporaryDirectory()
        for name in FUNCTIONS:
            (Path(self.binaries.name) / name).write_bytes(b"")

    def deploy(self, *parameters):
        arguments = argparse.Namespace(stack=STACK, binaries=self.binaries.name, parameter=[MACHINES, *parameters])
        request = deploy.described(self.emulator, arguments)
        cloudformation = self.emulator.client("cloudformation")
        (cloudformation.update_stack if self.is_there else cloudformation.create_stack)(**request)
        self.is_there = True
        status = deploy.settled(self.emulator, STACK)["StackStatus"]
        assert status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")), deploy.why(self.emulator, STACK)

    def versions(self):
        """Which version is invoked through the alias, by function; None without an alias."""
        functions = self.emulator.client("lambda")
        found = {}
        for name in FUNCTIONS:
            aliases = functions.list_aliases(FunctionName=f"{STACK}-{name}")["Aliases"]
            assert [alias["Name"] for alias in aliases] in ([], ["live"]), aliases
            found[name] = aliases[0]["FunctionVersion"] if aliases else None
        return found

    def woken(self):
        """The ARNs by which functions are invoked: by mappings, rules and the HTTP API."""
        client = self.emulator.client
        mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
        yield from (mapping["FunctionArn"] for mapping in mappings if f":{STACK}-" in mapping["FunctionArn"])
        rules = client("events")
        for rule in rules.list_rules(NamePrefix=f"{STACK}-")["Rules"]:
            yield from (target["Arn"] for target in rules.list_targets_by_rule(Rule=rule["Name"])["Targets"])
        apis = client("apigatewayv2")
        for api in (api for api in apis.get_apis()["Items"] if api["Name"] == STACK):
            yield from (integration["IntegrationUri"] for integration in apis.get_integrations(ApiId=api["ApiId"])["Items"])

    def permissions(self):
        """What other services may invoke: the resources of each alias's policy, without those of whole functions."""
        functions = self.emulator.client("lambda")
        for name in FUNCTIONS:
            try:
                policy = functions.get_policy(FunctionName=f"{STACK}-{name}", Qualifier="live")["Policy"]
            except functions.exceptions.ResourceNotFoundException:
                continue
            yield from (statement["Resource"] for statement in json.loads(policy)["Statement"])


def check(installation, version, live):
    """Everything is invoked at the version, through the alias if there is one."""
    versions = installation.versions()
    assert set(versions.values()) == {version}, f"expected version {version}, found {versions}"
    woken = list(installation.woken())
    # Seven mappings, three rules, two integrations.
    assert len(woken) == 12, woken
    end = ":live" if live else ""
    wrong = [arn for arn in woken if arn.split(":function:")[1].count(":") != live or not arn.endswith(end)]
    assert not wrong, f"expected all at {end or 'the function itself'}, found {wrong}"
    permitted = {arn.split(":")[6].removeprefix(f"{STACK}-") for arn in installation.permissions()}
    expected = {"webhook-ingress", "trigger-evaluator", "sweeper", "api"} if live else set()
    assert permitted == expected, f"expected permissions for aliases of {expected}, found {permitted}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True)
    installation = Installation(deploy.Emulator(parser.parse_args().endpoint))
    installation.deploy()
    check(installation, None, live=False)
    installation.deploy(ON, "Release=first")
    check(installation, "1", live=True)
    # What the docs warn of: without a new release, a parameter does not reach what is invoked.
    installation.deploy(ON, "Release=first", "LogLevel=debug")
    check(installation, "1", live=True)
    # Nothing but the release is new, and there is a version all the same.
    installation.deploy(ON, "Release=second", "LogLevel=debug")
    check(installation, "2", live=True)
    installation.deploy("LogLevel=debug")
    check(installation, None, live=False)
    print("versions: one for each release, and everything is invoked through its alias")


if __name__ == "__main__":
    main()
