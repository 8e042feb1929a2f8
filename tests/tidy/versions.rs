//! Gradual deployment: what is there with it and without, and that nothing wakes a function but through its alias.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::cloudformation::{PATH, named, resource, resources, section, whole};
use crate::tables;
use crate::template::functions;
use crate::workspace::read;

/// The condition under which functions have versions.
const GRADUAL: &str = "IsGradual";

/// Most alarms of a deployment group.
const ALARMS_MOST: usize = 10;

/// Types of what wakes a function, or lets others do so.
const WAKES: &[&str] = &[
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Events::Rule",
    "AWS::ApiGatewayV2::Integration",
];

/// Types of which the stack has none without gradual deployment.
const VERSIONED: &[&str] =
    &["AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"];

/// Functions that a value names, but for the choices between a function and its alias.
fn past_the_alias(value: &Value, functions: &BTreeSet<String>) -> Vec<String> {
    if let Some([condition, alias, plain]) = value["Fn::If"].as_array().map(Vec::as_slice) {
        let function = named(plain).pop().unwrap_or_default();
        if condition == GRADUAL && *alias == json!({"Ref": format!("{function}Alias")}) {
            return Vec::new();
        }
    }
    match value {
        Value::Array(values) => values.iter().flat_map(|value| past_the_alias(value, functions)).collect(),
        Value::Object(entries) if entries.len() > 1 => {
            entries.values().flat_map(|value| past_the_alias(value, functions)).collect()
        }
        // One entry: a function of the template language, or an object with a single key.
        Value::Object(entries) => {
            let inside = entries.values().flat_map(|value| past_the_alias(value, functions));
            let own =
                named(value).into_iter().filter(|_| entries.keys().any(|key| key == "Ref" || key == "Fn::GetAtt"));
            inside.chain(own).filter(|name| functions.contains(name)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn everything_that_wakes_a_function_wakes_the_version_of_its_alias() {
    let functions: BTreeSet<String> = functions().into_iter().map(|function| function.id).collect();
    let mut woken = BTreeSet::new();
    for kind in WAKES {
        for (id, properties) in resources(kind) {
            let mut properties = properties.clone();
            // The function is named here, and its alias by the qualifier.
            if *kind == "AWS::Lambda::EventInvokeConfig" {
                let function = named(&properties["FunctionName"]).remove(0);
                let name = json!([7, {"Fn::Split": [":", {"Ref": format!("{function}Alias")}]}]);
                let qualifier = json!({"Fn::If": [GRADUAL, {"Fn::Select": name}, "$LATEST"]});
                assert_eq!(properties["Qualifier"], qualifier, "{id}");
                properties["FunctionName"].take();
            }
            woken.extend(named(&properties).into_iter().filter(|name| functions.contains(name)));
            let past = past_the_alias(&properties, &functions);
            assert!(past.is_empty(), "{id} of {PATH} goes past the alias of {past:?}");
        }
    }
    assert_eq!(woken, functions, "the functions that something wakes, and those of {PATH} (right)");
}

#[test]
fn without_gradual_deployment_there_are_no_versions() {
    let condition = |id: &str| whole(id)["Condition"].as_str().unwrap_or_default();
    for (id, resource) in section("Resources") {
        let kind = resource["Type"].as_str().unwrap_or_default();
        if VERSIONED.contains(&kind) || id == "DeploymentRole" {
            assert_eq!(condition(id), GRADUAL, "{id} is there only with gradual deployment");
        }
    }
    let parameter = section("Parameters").find(|(name, _)| *name == "GradualDeployment").map(|(_, value)| value);
    assert_eq!(parameter.map(|parameter| &parameter["Default"]), Some(&json!("")), "and that is off by default");
}

#[test]
fn each_function_has_a_version_for_each_release() {
    for function in functions() {
        let id = &function.id;
        let version = format!("{id}Version");
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(whole(&version)[policy], "Retain", "what began on {version} may still run");
        }
        let expected = json!({"FunctionName": {"Ref": id}, "Description": {"Ref": "Release"}});
        assert_eq!(*resource(&version), expected, "{version} is published anew for each release, of {id}");
        // Lambda publishes no version of a function in which nothing changed.
        assert!(named(&resource(id)["Description"]).contains(&"Release".to_owned()), "{id} does not name the release");
        let alias = format!("{id}Alias");
        assert_eq!(resource(&alias)["Name"], "live", "{alias}");
        assert_eq!(resource(&alias)["FunctionVersion"]["Fn::GetAtt"], format!("{version}.Version"), "{alias}");
        let policy = &whole(&alias)["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
        assert_eq!(policy["ApplicationName"], json!({"Ref": "Deployments"}), "{alias}");
        assert_eq!(policy["DeploymentGroupName"], json!({"Ref": format!("{id}Deployments")}), "{alias}");
    }
}

#[test]
fn a_deployment_is_taken_back_when_an_alarm_of_its_function_rings() {
    let alarms: Vec<_> = resources("AWS::CloudWatch::Alarm").collect();
    let is_named = |name: &Value| alarms.iter().any(|(_, alarm)| alarm["AlarmName"] == *name);
    let exists = |name: &Value| name["Ref"].as_str().is_some_and(|id| alarms.iter().any(|(alarm, _)| *alarm == id));
    for function in functions() {
        let group = resource(&format!("{}Deployments", function.id));
        let chosen: Vec<&Value> = group["AlarmConfiguration"]["Alarms"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|alarm| &alarm["Name"])
            .collect();
        let unknown: Vec<_> = chosen.iter().filter(|name| !exists(name) && !is_named(name)).collect();
        assert!(unknown.is_empty(), "{} waits for alarms that do not exist: {unknown:?}", function.id);
        let own = json!({"Ref": format!("{}ErrorsAlarm", function.id)});
        assert!(chosen.contains(&&own), "{} is not taken back when its invocations fail", function.id);
        assert!(chosen.len() <= ALARMS_MOST, "{} has {} alarms", function.id, chosen.len());
        // They stay until somebody acts, and would refuse the version that mends their cause.
        let lasting = chosen.iter().flat_map(|name| named(name)).filter(|name| name.ends_with("DeadAlarm"));
        assert_eq!(lasting.collect::<Vec<_>>(), Vec::<String>::new(), "{}", function.id);
        let back = &group["AutoRollbackConfiguration"];
        assert_eq!(back["Enabled"], true, "{}", function.id);
        let reasons = back["Events"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(reasons.contains(&json!("DEPLOYMENT_STOP_ON_ALARM")), "{}", function.id);
    }
}

#[test]
fn the_alarms_that_take_a_deployment_back_are_told() {
    let text = read("docs/operations.md");
    let rows = tables::under(&text, "### Gradual deployment");
    let told: BTreeMap<String, Vec<String>> =
        rows.iter().map(|row| (row[0].clone(), tables::names(&row[1]).map(str::to_owned).collect())).collect();
    let name = |name: &Value| {
        let name = name["Ref"].as_str().map_or(name, |alarm| &resource(alarm)["AlarmName"]);
        name["Fn::Sub"].as_str().unwrap_or_default().replace("${AWS::StackName}-", "")
    };
    let chosen = |id: &str| {
        let group = &resource(&format!("{id}Deployments"))["AlarmConfiguration"]["Alarms"];
        group.as_array().into_iter().flatten().map(|alarm| name(&alarm["Name"])).collect()
    };
    let chosen: BTreeMap<String, Vec<String>> =
        functions().into_iter().map(|function| (function.folder, chosen(&function.id))).collect();
    assert_eq!(told, chosen, "the alarms of docs/operations.md, and those of {PATH} (right)");
}

#[test]
fn code_deploy_may_move_the_aliases_of_functions_and_nothing_else() {
    let role = resource("DeploymentRole");
    let [aliases, alarms] =
        role["Policies"][0]["PolicyDocument"]["Statement"].as_array().map_or(&[][..], Vec::as_slice)
    else {
        panic!("DeploymentRole has a policy of two statements")
    };
    assert_eq!(alarms["Action"], "cloudwatch:DescribeAlarms");
    let granted: BTreeSet<String> = named(&aliases["Resource"]).into_iter().collect();
    let functions: BTreeSet<String> = functions().into_iter().map(|function| function.id).collect();
    assert_eq!(granted, functions, "what CodeDeploy may move, and the functions (right)");
    let expected = json!(["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]);
    assert_eq!(aliases["Action"], expected);
}
