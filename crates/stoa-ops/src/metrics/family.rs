//! Metrics in the form that Prometheus's encoder takes, made anew for each scrape from published figures.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric as Sample, MetricFamily, MetricType,
};

use super::catalogue::{Kind, Metric};

/// The samples of one metric.
pub(super) struct Family {
    metric: &'static Metric,
    samples: Vec<Sample>,
}

impl Family {
    pub(super) fn of(metric: &'static Metric) -> Self {
        Self {
            metric,
            samples: Vec::new(),
        }
    }

    fn push(&mut self, values: &[&str], mut sample: Sample) {
        debug_assert_eq!(
            values.len(),
            self.metric.labels.len(),
            "{}",
            self.metric.name
        );
        let labels = self.metric.labels.iter().zip(values);
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        sample.set_label(labels.map(pair).collect());
        self.samples.push(sample);
    }

    /// A counter's or a gauge's value, with the values of its labels in their order.
    pub(super) fn value(&mut self, labels: &[&str], value: f64) {
        let mut sample = Sample::default();
        match self.metric.kind {
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                sample.set_counter(counter);
            }
            Kind::Gauge | Kind::Histogram => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                sample.set_gauge(gauge);
            }
        }
        self.push(labels, sample);
    }

    /// A whole number of things.
    pub(super) fn count(&mut self, labels: &[&str], count: u64) {
        // Exact up to 2^53, which no counter here comes to.
        self.value(labels, count as f64);
    }

    /// A histogram, of the counts of each class and their upper bounds in seconds; the last class has none.
    pub(super) fn classes(&mut self, labels: &[&str], bounds: &[f64], counts: &[u64], sum: f64) {
        let mut below = 0;
        let mut buckets = Vec::with_capacity(bounds.len());
        for (bound, count) in bounds.iter().zip(counts) {
            below += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(below);
            buckets.push(bucket);
        }
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(counts.iter().sum());
        histogram.set_sample_sum(sum);
        let mut sample = Sample::default();
        sample.set_histogram(histogram);
        self.push(labels, sample);
    }

    /// For the encoder; `None` where there is nothing to say.
    pub(super) fn finish(self) -> Option<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.metric.name.to_owned());
        family.set_help(self.metric.help.to_owned());
        family.set_field_type(match self.metric.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        let is_empty = self.samples.is_empty();
        family.set_metric(self.samples);
        (!is_empty).then_some(family)
    }
}
