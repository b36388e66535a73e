import org.jspecify.annotations.NullMarked;

/** Publishes to queues of Amazon SQS: {@link dev.outbox.sqs.SqsPublisher}. */
@NullMarked
module dev.outbox.sqs {
    exports dev.outbox.sqs;

    requires transitive dev.outbox;
    requires transitive software.amazon.awssdk.services.sqs;
    requires software.amazon.awssdk.awscore;
    requires software.amazon.awssdk.core;
    requires org.slf4j;
    requires static transitive org.jspecify;
}
