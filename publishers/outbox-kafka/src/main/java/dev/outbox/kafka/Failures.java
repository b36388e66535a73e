package dev.outbox.kafka;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import dev.outbox.PermanentFailureException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.UnknownProducerIdException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * Says what an exception of the client means. Many that look permanent are faults of the set-up: a missing permission,
 * for example, is an error of the configuration to the client, and concerns every message of the topic.
 */
final class Failures {
    private final Secrets secrets;

    Failures(Secrets secrets) {
        this.secrets = secrets;
    }

    /** The exception to fail a message with. */
    Exception of(Exception thrown, String destination) {
        if (isPermanent(thrown)) {
            return new PermanentFailureException(
                    "Kafka refuses the message for topic " + destination + ": " + text(thrown), withoutSecrets(thrown));
        }
        if (isOfTheBroker(thrown)) {
            return unavailable("Kafka does not take messages for topic " + destination + ": " + text(thrown), thrown);
        }
        return withoutSecrets(thrown);
    }

    BrokerUnavailableException unavailable(String text, Exception cause) {
        return new BrokerUnavailableException(text, withoutSecrets(cause));
    }

    ConfigurationException configuration(String text, Exception cause) {
        return new ConfigurationException(text + text(cause), withoutSecrets(cause));
    }

    /** Its text without secrets. */
    String text(Throwable thrown) {
        Throwable cause = thrown.getCause();
        String text = cause == null || cause.toString().equals(thrown.getMessage())
                ? thrown.toString()
                : thrown + " (" + cause + ")";
        return secrets.hide(text);
    }

    /** The exception, if it shows no secret. */
    Exception withoutSecrets(Exception thrown) {
        if (!secrets.areIn(thrown)) {
            return thrown;
        }
        String text = text(thrown);
        if (thrown instanceof BrokerUnavailableException) { // what it means to the relay stays
            return new BrokerUnavailableException(text);
        }
        return thrown instanceof PermanentFailureException
                ? new PermanentFailureException(text)
                : new IllegalStateException(text);
    }

    /** Whether the message will never be taken, whatever the broker's state. */
    static boolean isPermanent(Exception thrown) {
        return thrown instanceof RecordTooLargeException
                || thrown instanceof RecordBatchTooLargeException
                || thrown instanceof SerializationException
                || thrown instanceof InvalidRecordException;
    }

    /** Whether the broker, its operator or the network is at fault, and not the message. */
    static boolean isOfTheBroker(Exception thrown) {
        return thrown instanceof RetriableException
                || thrown instanceof AuthorizationException
                || thrown instanceof AuthenticationException
                || thrown instanceof PolicyViolationException
                || thrown instanceof UnknownServerException
                || thrown instanceof InterruptException
                || isOfTheSetup(thrown)
                || isOfANeighbour(thrown)
                || needsAnotherProducer(thrown);
    }

    /**
     * Whether every message would fail, because of a name, a clock or a version. A timestamp is that of the sending
     * host.
     */
    private static boolean isOfTheSetup(Exception thrown) {
        return thrown instanceof InvalidTopicException
                || thrown instanceof InvalidTimestampException
                || thrown instanceof UnsupportedForMessageFormatException
                || thrown instanceof UnsupportedVersionException
                || thrown instanceof UnsupportedCompressionTypeException;
    }

    /** Whether the message was in a batch with another one, which the broker has refused. */
    private static boolean isOfANeighbour(Exception thrown) {
        return thrown.getClass() == KafkaException.class;
    }

    /** Whether the producer that threw it can do nothing more. */
    static boolean needsAnotherProducer(Exception thrown) {
        return thrown instanceof ProducerFencedException
                || thrown instanceof OutOfOrderSequenceException
                || thrown instanceof UnknownProducerIdException
                || thrown instanceof InvalidProducerEpochException
                || thrown instanceof InvalidPidMappingException
                || thrown instanceof IllegalStateException;
    }

    /** Whether the broker itself has said that a topic is not there. */
    static boolean saysThatTopicIsMissing(Exception thrown) {
        return thrown.getCause() instanceof UnknownTopicOrPartitionException;
    }
}
