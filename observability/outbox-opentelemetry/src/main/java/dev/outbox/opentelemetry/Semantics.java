package dev.outbox.opentelemetry;

import io.opentelemetry.api.common.AttributeKey;
import java.util.List;

/**
 * The names that OpenTelemetry's semantic conventions for messaging give to things, and those of ours. The conventions
 * are in development, so no other class has such a name.
 */
final class Semantics {
    static final String SCOPE = "dev.outbox";

    /** The version of the conventions. */
    static final String SCHEMA = "https://opentelemetry.io/schemas/1.37.0";

    static final String CREATE = "create";
    static final String SEND = "send";

    static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("messaging.system");
    static final AttributeKey<String> OPERATION_NAME = AttributeKey.stringKey("messaging.operation.name");
    static final AttributeKey<String> OPERATION_TYPE = AttributeKey.stringKey("messaging.operation.type");
    static final AttributeKey<String> DESTINATION = AttributeKey.stringKey("messaging.destination.name");
    static final AttributeKey<String> MESSAGE_ID = AttributeKey.stringKey("messaging.message.id");
    static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    static final AttributeKey<String> TOPIC = AttributeKey.stringKey("outbox.topic");
    static final AttributeKey<Long> PARTITION = AttributeKey.longKey("outbox.partition");
    static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("outbox.attempt");
    static final AttributeKey<Double> AGE = AttributeKey.doubleKey("outbox.age");
    static final AttributeKey<String> PUBLISH_ID = AttributeKey.stringKey("outbox.publish_id");

    static final String SENT_MESSAGES = "messaging.client.sent.messages";
    static final String DURATION = "messaging.client.operation.duration";
    static final List<Double> DURATION_BOUNDS =
            List.of(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0);

    private Semantics() {}
}
