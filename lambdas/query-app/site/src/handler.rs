//! Handles an event from start to answer.

use std::path::PathBuf;
use std::time::SystemTime;

use aws_sdk_s3::Client;
use custom_resource::{Kind, Outcome, Request, Unanswered};
use function::Clock;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tracing::info;

use crate::bucket::PageBucket;
use crate::config::Config;
use crate::page::{self, Object};
use crate::settings::Settings;

/// The function, for the life of its process.
pub struct SitePublisher {
    client: Client,
    site: PathBuf,
    clock: Clock,
}

impl SitePublisher {
    /// Wires the function; nothing is connected before the first event.
    pub fn new(settings: Settings, clock: Clock) -> SitePublisher {
        let config = aws_sdk_s3::config::Builder::from(&settings.s3)
            // An endpoint that is not AWS has no host name per bucket.
            .force_path_style(settings.s3.endpoint_url().is_some())
            .build();
        SitePublisher { client: Client::from_conf(config), site: settings.site, clock }
    }

    /// Carries out one CloudFormation event and answers it.
    ///
    /// # Errors
    ///
    /// Only if no answer could be sent. A failure while carrying out the event is an answer.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Unanswered> {
        // Boxed because futures nested this deep exceed what the compiler lays out.
        let carry_out = async |request: &Request, until| Box::pin(self.carry_out(request, until)).await;
        custom_resource::answer(event, &self.clock, carry_out).await
    }

    async fn carry_out(&self, request: &Request, until: SystemTime) -> Outcome {
        let Some(name) = bucket_name(&request.properties) else {
            // Without a bucket, nothing can have been published.
            let result = match &request.kind {
                Ok(Kind::Delete) => Ok(()),
                Ok(_) => Err("the property Bucket is not a valid bucket name".to_owned()),
                Err(problem) => Err(problem.clone()),
            };
            return Outcome { physical_id: request.physical_id.clone().unwrap_or_else(|| request.not_made()), result };
        };
        let id = format!("{}/{}/{name}", request.stack_name(), request.logical_id);
        let work = Work { bucket: PageBucket::new(&self.client, name, &self.clock), clock: &self.clock, until };
        let result = match &request.kind {
            Err(problem) => Err(problem.clone()),
            Ok(Kind::Delete) if request.physical_id.as_ref() != Some(&id) => {
                info!(step = "delete", "the ID does not name anything created here; nothing is changed");
                let physical_id = request.physical_id.clone().unwrap_or(id);
                return Outcome { physical_id, result: Ok(()) };
            }
            Ok(Kind::Delete) => work.keep_only(&[]).await,
            Ok(Kind::Create | Kind::Update) => match self.objects(&request.properties) {
                Ok(objects) => work.publish(&objects).await,
                Err(problem) => Err(problem),
            },
        };
        // An Update that fails keeps the old ID, so that the bucket of that ID is not changed.
        let physical_id = match (&result, &request.physical_id) {
            (Err(_), Some(old)) => old.clone(),
            _ => id,
        };
        Outcome { physical_id, result }
    }

    fn objects(&self, properties: &Value) -> Result<Vec<Object>, String> {
        page::objects(&self.site, &Config::read(&properties["Config"])?)
    }
}

fn bucket_name(properties: &Value) -> Option<&str> {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    properties["Bucket"].as_str().filter(|name| (3..=63).contains(&name.len()) && name.bytes().all(of_name))
}

/// The work on a bucket for one event, within its time.
struct Work<'a> {
    bucket: PageBucket<'a>,
    clock: &'a Clock,
    until: SystemTime,
}

impl Work<'_> {
    async fn publish(&self, objects: &[Object]) -> Result<(), String> {
        for object in objects {
            self.has_time()?;
            self.bucket.put(object).await?;
        }
        info!(step = "published", objects = objects.len());
        let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
        self.keep_only(&keys).await
    }

    /// Deletes every object but these.
    async fn keep_only(&self, kept: &[&str]) -> Result<(), String> {
        let keys = self.bucket.keys().await?;
        let gone: Vec<&String> = keys.iter().filter(|key| !kept.contains(&key.as_str())).collect();
        for key in &gone {
            self.has_time()?;
            self.bucket.delete(key).await?;
        }
        info!(step = "deleted", objects = gone.len());
        Ok(())
    }

    fn has_time(&self) -> Result<(), String> {
        if self.clock.now() < self.until { Ok(()) } else { Err("not everything could be published in time".to_owned()) }
    }
}
