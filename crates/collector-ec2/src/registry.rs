//! All listings of this collector.

use crate::{
    Clients, auto_scaling_group, clients, elastic_ip, image, instance, internet_gateway, key_pair,
    launch_configuration, launch_template, load_balancer, load_balancer_v2, network_acl, network_interface, regions,
    reserved_instance, route_table, security_group, snapshot, subnet, transit_gateway, transit_gateway_attachment,
    transit_gateway_route_table, volume, vpc, vpc_endpoint, vpc_peering,
};
use collector::{Bucket, Quota, RegionDiscovery, Service, Sharing};

/// EC2, with a line for each listing.
pub static SERVICE: Service<Clients> = Service {
    title: "EC2",
    assets: "VPCs and CIDR blocks, subnets, security groups with their rules and ranges, instances with reservations, \
             network interfaces and addresses, volumes, snapshots, images, key pairs, internet gateways, route tables with \
             routes, network ACLs, VPC endpoints and peerings, transit gateways with attachments and route tables, elastic \
             IPs, reserved instances, launch templates and configurations, auto scaling groups, classic and v2 load balancers \
             with listeners and target groups",
    listings: &[
        vpc::LISTING,
        subnet::LISTING,
        security_group::LISTING,
        instance::LISTING,
        network_interface::LISTING,
        volume::LISTING,
        key_pair::LISTING,
        internet_gateway::LISTING,
        route_table::LISTING,
        network_acl::LISTING,
        elastic_ip::LISTING,
        vpc_endpoint::LISTING,
        vpc_peering::LISTING,
        transit_gateway::LISTING,
        transit_gateway_attachment::LISTING,
        transit_gateway_route_table::LISTING,
        launch_template::LISTING,
        launch_configuration::LISTING,
        auto_scaling_group::LISTING,
        load_balancer::LISTING,
        load_balancer_v2::LISTING,
        reserved_instance::LISTING,
        // Last, because they wait for the ids in use.
        image::LISTING,
        snapshot::LISTING,
    ],
    regions: Some(RegionDiscovery { ask: regions::enabled, actions: regions::ACTIONS }),
    apis: &[clients::AUTO_SCALING, clients::ELASTIC_LOAD_BALANCING, clients::ELASTIC_LOAD_BALANCING_V2],
    quotas: QUOTAS,
    cartography: &[
        "ec2:autoscalinggroup",
        "ec2:images",
        "ec2:instance",
        "ec2:internet_gateway",
        "ec2:keypair",
        "ec2:launch_templates",
        "ec2:load_balancer",
        "ec2:load_balancer_v2",
        "ec2:load_balancer_v2:expose",
        "ec2:network_acls",
        "ec2:network_interface",
        "ec2:reserved_instances",
        "ec2:route_table",
        "ec2:security_group",
        "ec2:snapshots",
        "ec2:subnet",
        "ec2:tgw",
        "ec2:tgw_route_table",
        "ec2:volumes",
        "ec2:vpc",
        "ec2:vpc_endpoint",
        "ec2:vpc_peering",
        "elastic_ip_addresses",
    ],
    ..Service::regional("ec2", Clients::connect)
};

const EC2: &str = "AWS, \"Request throttling for the Amazon EC2 API\", docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html";
const ELB: &str = "AWS, \"Request throttling for the Elastic Load Balancing API\", docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html";

static QUOTAS: &[Quota] = &[
    Quota {
        apis: &["DescribeStaleSecurityGroups", "DescribeSecurityGroupReferences"],
        ..Quota::of("ec2", Bucket::published(20, 5, EC2))
    },
    Quota {
        apis: &[
            "DescribeInstances",
            "DescribeInstanceStatus",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSnapshots",
            "DescribeSpotInstanceRequests",
            "DescribeVolumes",
        ],
        unpaged: true,
        ..Quota::of("ec2", Bucket::published(50, 10, EC2))
    },
    Quota::of("ec2", Bucket::published(100, 20, EC2)),
    // "Each ELB API version has its own buckets and tokens"; all its non-mutating actions share one ([`ELB`]).
    Quota { sharing: Sharing::Version, ..Quota::of("elasticloadbalancing", Bucket::published(40, 10, ELB)) },
    // "All Amazon EC2 Auto Scaling API calls have a single, shared API limit" (AWS, "My Auto Scaling API calls are getting
    // throttled", repost.aws/knowledge-center/autoscaling-api-calls-throttled).
    Quota { sharing: Sharing::Version, ..Quota::of("autoscaling", Bucket::learned(50, 20)) },
];

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const API: Api<'_> = Api {
        answers: &[],
        permissions: &[],
        page_size: Some(("MaxResults", "1000")),
        page_sizes: &[
            ("DescribeAddresses", None),
            ("DescribeAutoScalingGroups", Some(("MaxRecords", "100"))),
            ("DescribeKeyPairs", None),
            ("DescribeLaunchConfigurations", Some(("MaxRecords", "100"))),
            ("DescribeLaunchTemplates", Some(("MaxResults", "200"))),
            ("DescribeLoadBalancers", Some(("PageSize", "400"))),
            ("DescribeReservedInstances", None),
            ("DescribeRouteTables", Some(("MaxResults", "100"))),
        ],
        reading: &[],
        two_pages: &[TwoPages {
            listing: "DescribeSubnets",
            answers: &[
                "<subnetSet><item><subnetId>subnet-1</subnetId></item></subnetSet><nextToken>more</nextToken>",
                "<subnetSet><item><subnetId>subnet-2</subnetId></item></subnetSet>",
            ],
            ids: &["subnet-1", "subnet-2"],
        }],
    };

    #[tokio::test]
    async fn the_registry_is_consistent() {
        check_service(&SERVICE, &API).await;
    }

    #[test]
    fn quotas_are_those_of_aws() {
        let sizes = |quota: &collector::Quota| (quota.service, quota.apis.len(), quota.bucket.size, quota.bucket.rate);
        let ec2: Vec<_> = SERVICE.quotas.iter().map(sizes).collect();
        let balancing = ("elasticloadbalancing", 0, 40, 10);
        assert_eq!(
            ec2,
            [("ec2", 2, 20, 5), ("ec2", 7, 50, 10), ("ec2", 0, 100, 20), balancing, ("autoscaling", 0, 50, 20)]
        );
    }
}
