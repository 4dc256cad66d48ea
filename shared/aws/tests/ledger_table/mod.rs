//! The ledger's table as the template declares it: its key is the text `id`, and it is paid for by request.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};

/// Makes the table.
pub(crate) async fn create(config: &SdkConfig, name: &str) {
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = aws_sdk_dynamodb::Client::new(config).create_table().table_name(name);
    let create = create.attribute_definitions(id.build().expect("whole")).key_schema(key.build().expect("whole"));
    create.billing_mode(BillingMode::PayPerRequest).send().await.expect("a table");
}
