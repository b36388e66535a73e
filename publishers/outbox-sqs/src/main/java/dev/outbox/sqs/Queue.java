package dev.outbox.sqs;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.model.GetQueueAttributesRequest;
import software.amazon.awssdk.services.sqs.model.GetQueueUrlRequest;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.SendMessageRequest;
import software.amazon.awssdk.services.sqs.model.SendMessageResponse;

/**
 * A queue, and the requests to it. Every request has a time limit, which includes the tries of the client. The client
 * makes no try after that. Safe for use by several threads.
 */
final class Queue {
    /** What SQS says if a queue has no limit of its own, in bytes. */
    private static final long LARGEST = 1_048_576;

    /**
     * The client tries again within the limit of a request, on another connection, instead of waiting for one answer.
     */
    private static final int TRIES = 3;

    /**
     * What the queue has told.
     *
     * @param largest how many bytes a message may have
     */
    record Facts(String url, long largest) {}

    private final SqsAsyncClient client;
    private final String name;
    private final Duration limit;

    /** The question that was answered last. Written with the lock of this. */
    private volatile @Nullable CompletableFuture<Facts> answered;

    /** The question that is not answered yet. Guarded by this. */
    private @Nullable CompletableFuture<Facts> asking;

    /**
     * Asks nobody yet.
     *
     * @param name or URL
     * @param limit of each question
     */
    Queue(SqsAsyncClient client, String name, Duration limit) {
        this.client = client;
        this.name = name;
        this.limit = limit;
    }

    /** What the queue has told last, or tells now. Those that ask meanwhile share the question. */
    CompletableFuture<Facts> facts() {
        CompletableFuture<Facts> known = answered;
        return known == null ? factsAfter(null) : known;
    }

    /** The same, but newer than this. Until the queue has told, {@link #facts} are those of before. */
    CompletableFuture<Facts> factsAfter(@Nullable CompletableFuture<Facts> old) {
        CompletableFuture<Facts> asked;
        synchronized (this) {
            CompletableFuture<Facts> known = answered;
            if (known != null && known != old) {
                return known;
            }
            CompletableFuture<Facts> other = asking;
            if (other != null) {
                return other;
            }
            asked = new CompletableFuture<>();
            asking = asked;
        }
        ask(asked);
        return asked;
    }

    /** An answer counts before those that wait for it go on, and only if the queue has told something. */
    private synchronized void answered(CompletableFuture<Facts> asked, boolean told) {
        asking = null;
        if (told) {
            answered = asked;
        }
    }

    /** The longest time that {@link #facts} take. */
    Duration longest() {
        return isUrl() ? limit : limit.multipliedBy(2);
    }

    private boolean isUrl() {
        return name.contains("://");
    }

    private void ask(CompletableFuture<Facts> asked) {
        try {
            CompletionStage<Facts> answer = url().thenCompose(this::ask);
            answer.whenComplete((told, thrown) -> {
                answered(asked, thrown == null);
                if (thrown == null) {
                    asked.complete(told);
                } else {
                    asked.completeExceptionally(Errors.unwrapped(thrown));
                }
            });
        } catch (RuntimeException e) {
            answered(asked, false);
            asked.completeExceptionally(e);
        }
    }

    private CompletableFuture<String> url() {
        if (isUrl()) {
            return CompletableFuture.completedFuture(name);
        }
        return client.getQueueUrl(GetQueueUrlRequest.builder()
                        .queueName(name)
                        .overrideConfiguration(within(limit))
                        .build())
                .thenApply(answer -> answer.queueUrl());
    }

    private CompletableFuture<Facts> ask(String url) {
        return client.getQueueAttributes(GetQueueAttributesRequest.builder()
                        .queueUrl(url)
                        .attributeNames(QueueAttributeName.ALL)
                        .overrideConfiguration(within(limit))
                        .build())
                .thenApply(answer -> {
                    String largest = answer.attributes().get(QueueAttributeName.MAXIMUM_MESSAGE_SIZE);
                    return new Facts(url, largest == null ? LARGEST : Long.parseLong(largest));
                });
    }

    private static AwsRequestOverrideConfiguration within(Duration time) {
        return AwsRequestOverrideConfiguration.builder()
                .apiCallTimeout(time)
                .apiCallAttemptTimeout(time.dividedBy(TRIES))
                .build();
    }

    /** Sends a message; cancelled to end the request. */
    CompletableFuture<SendMessageResponse> send(Facts queue, Outgoing message, Duration time) {
        Map<String, MessageAttributeValue> attributes = new HashMap<>();
        message.attributes()
                .forEach((name, value) -> attributes.put(
                        name,
                        MessageAttributeValue.builder()
                                .dataType("String")
                                .stringValue(value)
                                .build()));
        return client.sendMessage(SendMessageRequest.builder()
                .queueUrl(queue.url())
                .messageBody(message.body())
                .messageAttributes(attributes)
                .messageGroupId(message.group())
                .messageDeduplicationId(message.deduplicationId())
                .overrideConfiguration(within(time))
                .build());
    }
}
