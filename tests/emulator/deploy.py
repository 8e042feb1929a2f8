"""Deploys infra/template.yaml, as it stands, to the emulator, and writes what tests need to know of it.

    deploy.py deploy --endpoint URL --binaries target/debug --stack pawl --file stack.json [--parameter Name=Value ...]
    deploy.py logs --endpoint URL --stack pawl --folder target/e2e
    deploy.py delete --endpoint URL --stack pawl
    deploy.py package --binaries target/release --folder target/release/packages

Instead of `sam build`, plain cargo binaries are zipped, each as `bootstrap`: the tests build them anyway. What else differs
from `sam deploy` are the gaps of the emulator, each of which has a function here that says so.
"""

import argparse
import io
import json
import re
import sys
import time
import zipfile
from pathlib import Path

import boto3

TEMPLATE = Path(__file__).parents[2] / "infra" / "template.yaml"
CODE = "pawl-code"
REGION = "us-east-1"
# Types of resources that the emulator does not know. Nothing but the update policy of aliases depends on them.
UNKNOWN_TYPES = ["AWS::Logs::QueryDefinition", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"]
# Events of a log that the emulator gives at once.
EVENTS_MOST = 10_000
# Actions of SQS that the emulator knows under another name where many messages are meant.
BATCHES = ["sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]


class Emulator:
    """Clients of one endpoint."""

    def __init__(self, endpoint):
        self.endpoint = endpoint.rstrip("/")
        self.session = boto3.Session("test", "test", region_name=REGION)

    def client(self, service):
        return self.session.client(service, endpoint_url=self.endpoint)


def deploy(emulator, arguments):
    """Creates the stack and waits for it."""
    emulator.client("cloudformation").create_stack(**described(emulator, arguments))
    stack = settled(emulator, arguments.stack)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        sys.exit(f"{stack['StackStatus']}: {why(emulator, arguments.stack)}")
    resources = physical_ids(emulator, arguments.stack)
    switch_on_expiry(emulator, resources)
    number_concurrency(emulator, resources)
    if arguments.auth:
        allow_as_aws_does(emulator, resources)
        allow_plain_connections(emulator, resources)
    if arguments.visibility is not None:
        shorten_visibility(emulator, resources, arguments.visibility)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    outputs = reachable(emulator, outputs, resources)
    deployed = {
        "endpoint": emulator.endpoint,
        "region": REGION,
        "name": arguments.stack,
        "api": outputs["ApiUrl"],
        "outputs": outputs,
        "log": arguments.log,
    }
    Path(arguments.file).write_text(json.dumps(deployed, indent=2))


def described(emulator, arguments):
    """What CloudFormation is asked for. The functions' code is in S3 then."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=CODE)
    text = without_unknown_types(TEMPLATE.read_text())
    text = with_code(s3, text, arguments.stack, Path(arguments.binaries))
    # A template of this size is taken from S3 only, here as on AWS.
    key = f"{arguments.stack}/template.yaml"
    s3.put_object(Bucket=CODE, Key=key, Body=text.encode())
    parameters = [parameter.split("=", 1) for parameter in arguments.parameter]
    return {
        "StackName": arguments.stack,
        "TemplateURL": f"{emulator.endpoint}/{CODE}/{key}",
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters],
    }


def logs(emulator, arguments):
    """Writes what each function logged into a file of its own."""
    client = emulator.client("logs")
    prefix = f"/aws/lambda/{arguments.stack}-"
    for group in client.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
        lines = [event["message"] for event in events(client, group["logGroupName"])]
        file = Path(arguments.folder) / f"{group['logGroupName'].removeprefix(prefix)}.log"
        file.write_text("\n".join(lines) + "\n")


def events(client, group):
    """The emulator gives the oldest events only, and no token for what follows, so that is asked for by time. The last
    moment of a page may have been cut in two, and comes again."""
    since = 0
    while True:
        page = client.filter_log_events(logGroupName=group, startTime=since)["events"]
        if len(page) < EVENTS_MOST or page[-1]["timestamp"] == since:
            yield from page
            return
        since = page[-1]["timestamp"]
        yield from (event for event in page if event["timestamp"] < since)


def delete(emulator, arguments):
    """Deletes the stack, and what it retains: tables and bucket."""
    resources = physical_ids(emulator, arguments.stack)
    emulator.client("cloudformation").delete_stack(StackName=arguments.stack)
    settled(emulator, arguments.stack)
    dynamodb, s3 = emulator.client("dynamodb"), emulator.client("s3")
    for table in resources.get("AWS::DynamoDB::Table", []):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
    for bucket in [*resources.get("AWS::S3::Bucket", []), CODE]:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
                s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        s3.delete_bucket(Bucket=bucket)


def with_code(s3, text, stack, binaries):
    """The template with each folder of source replaced by its binary in S3."""

    def upload(found):
        name = found[1]
        key = f"{stack}/{name}.zip"
        s3.put_object(Bucket=CODE, Key=key, Body=zipped(binaries / name))
        return f"CodeUri: s3://{CODE}/{key}"

    return re.sub(r"CodeUri: \.\./functions/([a-z-]+)", upload, text)


def package(_, arguments):
    """Writes the functions' packages as they are deployed to AWS, compressed."""
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in re.findall(r"CodeUri: \.\./functions/([a-z-]+)", TEMPLATE.read_text()):
        (folder / f"{name}.zip").write_bytes(zipped(Path(arguments.binaries) / name, zipfile.ZIP_DEFLATED))


def zipped(binary, compression=zipfile.ZIP_STORED):
    """A binary as Lambda takes it. In tests it is not compressed: that would take longer than all the rest."""
    file = zipfile.ZipInfo("bootstrap")
    file.external_attr = 0o755 << 16
    file.compress_type = compression
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(file, binary.read_bytes())
    return buffer.getvalue()


def without_unknown_types(text):
    """The template without the resources that the emulator would refuse: without CodeDeploy, an alias moves at once."""
    for unknown in UNKNOWN_TYPES:
        text = re.sub(rf"^  \w+:\n    Type: {unknown}\n(?:    .*\n|\n)*", "", text, flags=re.MULTILINE)
    return re.sub(r"^    UpdatePolicy:\n(?:      .*\n)*", "", text, flags=re.MULTILINE)


def settled(emulator, name):
    """The stack once nothing is in progress any more, or nothing if it is gone."""
    cloudformation = emulator.client("cloudformation")
    while True:
        try:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except cloudformation.exceptions.ClientError:
            return None
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.05)


def why(emulator, name):
    """The reasons of what failed."""
    events = emulator.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    return "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)


def physical_ids(emulator, name):
    """The stack's resources by type."""
    ids = {}
    pages = emulator.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        ids.setdefault(resource["ResourceType"], []).append(resource["PhysicalResourceId"])
    return ids


def switch_on_expiry(emulator, resources):
    """The emulator ignores TimeToLiveSpecification."""
    dynamodb = emulator.client("dynamodb")
    for table in resources["AWS::DynamoDB::Table"]:
        specification = {"AttributeName": "e", "Enabled": True}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)


def number_concurrency(emulator, resources):
    """The emulator takes parameters of the type Number as texts, and polls no queue whose MaximumConcurrency is one."""
    functions = emulator.client("lambda")
    for mapping in resources["AWS::Lambda::EventSourceMapping"]:
        scaling = functions.get_event_source_mapping(UUID=mapping).get("ScalingConfig")
        if scaling:
            most = {"MaximumConcurrency": int(scaling["MaximumConcurrency"])}
            functions.update_event_source_mapping(UUID=mapping, ScalingConfig=most)


def allow_as_aws_does(emulator, resources):
    """With AUTH=true the emulator asks for other permissions than AWS. Who has those of AWS gets those of the emulator beside
    them; who has not still has not."""
    iam = emulator.client("iam")
    for role in resources["AWS::IAM::Role"]:
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            added = [also for statement in document["Statement"] for also in emulators(statement)]
            if added:
                text = json.dumps({"Version": "2012-10-17", "Statement": added})
                iam.put_role_policy(RoleName=role, PolicyName="emulator", PolicyDocument=text)


def emulators(statement):
    """What the emulator asks for where AWS asks for a statement."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    # A batch of messages needs the permission for one, and there is no other.
    batches = [f"{action}Batch" for action in actions if action in BATCHES]
    if batches:
        yield {**statement, "Sid": f"{statement['Sid']}Batch", "Action": batches}
    # It looks for every schedule in the group `default`, whatever group was asked for.
    if ":schedule/" in json.dumps(statement["Resource"]):
        yield {**statement, "Resource": [re.sub(r":schedule/.*", ":schedule/default/*", statement["Resource"])]}


def allow_plain_connections(emulator, resources):
    """The emulator is spoken to without TLS, which the bucket's policy refuses."""
    for bucket in resources["AWS::S3::Bucket"]:
        emulator.client("s3").delete_bucket_policy(Bucket=bucket)


def shorten_visibility(emulator, resources, seconds):
    """Not a gap: a test that kills functions does not wait for the time-outs that fit real ones."""
    sqs = emulator.client("sqs")
    for queue in resources["AWS::SQS::Queue"]:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})


def reachable(emulator, outputs, resources):
    """The emulator names its APIs <id>.execute-api.localhost, which not every machine resolves; it takes paths as well."""
    [api] = resources["AWS::ApiGatewayV2::Api"]
    url = f"{emulator.endpoint}/_aws/execute-api/{api}/$default"
    return {**outputs, "ApiUrl": url, "WebhookBaseUrl": f"{url}/hooks"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, command in (("deploy", deploy), ("logs", logs), ("delete", delete), ("package", package)):
        own = commands.add_parser(name)
        own.set_defaults(command=command)
        own.add_argument("--endpoint", default="http://127.0.0.1:4566")
        own.add_argument("--stack", default="pawl")
        if command in (deploy, package):
            own.add_argument("--binaries", required=True, help="folder with the functions' binaries")
        if command in (logs, package):
            own.add_argument("--folder", required=True, help="where the files are written")
        if command is deploy:
            own.add_argument("--file", required=True, help="where to write what was deployed")
            own.add_argument("--log", help="the emulator's log, for whoever looks for it there")
            own.add_argument("--parameter", action="append", default=[], help="of the template, Name=Value")
            own.add_argument("--visibility", type=int, help="seconds for which queues hide a message")
            own.add_argument("--auth", action="store_true", help="the emulator enforces roles")
    arguments = parser.parse_args()
    arguments.command(Emulator(arguments.endpoint), arguments)


if __name__ == "__main__":
    main()
